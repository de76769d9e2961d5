"""Estimate the matching model's weights anew, and show what would change before it does."""

from collections.abc import Iterable

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.core.settings import settings
from flows.identity.matching.estimate import Example, Proposal, propose


@flow(name="estimate-matching", flow_run_name="estimate matching of {domain}")
def estimate_matching(domain: str = "customers") -> str:
    """Estimate weights on the present records; nothing changes until a person adopts the file.

    `domain`: customers or contacts. Returns where the proposed weights are.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run("estimate", flow_run_id=flow_run.get_id(), on_wait=logger.info):
        proposal = estimate(domain)
    create_markdown_artifact(
        key=f"matching-proposal-{domain}",
        markdown=markdown(proposal),
        description=f"What newly estimated weights would change among {domain}",
    )
    logger.info("The proposed weights are in %s.", proposal.path)
    return str(proposal.path)


@task(task_run_name="estimate the weights of {domain}", cache_policy=NO_CACHE)
def estimate(domain: str) -> Proposal:
    """Estimate the weights, and score with both."""
    return propose(domain, settings().home / "proposals")


def markdown(proposal: Proposal) -> str:
    """Render what would change, with examples, level by level."""
    summary = (
        f"{proposal.accepted:,} pairs are accepted now. With the proposed weights "
        f"**{proposal.newly_accepted:,} more** would be, and **{proposal.no_longer_accepted:,} no "
        f"longer**; {proposal.would_merge:,} of the new ones join two ids, "
        f"{proposal.would_split:,} of the lost ones are within one."
    )
    adopt = (
        f"Adopt them by copying `{proposal.path}` over `dbt_project/seeds/rules/"
        f"{proposal.path.name}`; the next run scores everything anew."
    )
    title = f"# Weights of {proposal.domain}, estimated anew"
    return "\n\n".join([title, summary, adopt, *_examples(proposal.examples), _levels(proposal)])


def _examples(examples: Iterable[Example]) -> list[str]:
    head = ["| record | record | now | proposed |", "|---|---|---:|---:|"]
    rows = [
        f"| {_cell(one.left_record)} | {_cell(one.right_record)} | {one.probability:.4f} "
        f"| {one.proposed_probability:.4f} |"
        for one in examples
    ]
    return ["## Pairs decided otherwise", "\n".join(head + rows)] if rows else []


def _cell(record: str) -> str:
    return record.replace("|", " / ")


def _levels(proposal: Proposal) -> str:
    head = [
        "## Weights",
        "",
        "| comparison | level | matches now | proposed | random now | proposed |",
        "|---|---|---:|---:|---:|---:|",
    ]
    rows = [
        f"| {comparison} | {level} | {now.match_probability:.4g} | {new.match_probability:.4g} "
        f"| {now.random_probability:.3g} | {new.random_probability:.3g} |"
        for (comparison, level), now in proposal.present.levels.items()
        for new in [proposal.proposed.levels[comparison, level]]
    ]
    return "\n".join(head + rows)
