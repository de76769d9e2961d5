"""Decide which records are the same customer, contact or product; ids once given stay."""

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows import gates, identity
from flows.core.dbt import seed_if_changed
from flows.core.errors import GateRefusedError
from flows.core.migrations import migrate
from flows.core.runs import Run, recorded_run
from flows.core.warehouse import connect


@flow(name="identify", flow_run_name="identify")
def identify(full: bool = False) -> bool:
    """Settle who is who again, after rulings or edited rules; say whether any id changed.

    `full`: compute every record and score every pair anew. The next `integrate` builds and
    publishes what follows from it. Raises GateRefusedError when the gate refuses.
    """
    migrate()
    logger = get_run_logger()
    with (
        recorded_run(
            "identify", full=full, flow_run_id=flow_run.get_id(), on_wait=logger.info
        ) as run,
        gates.Courtroom() as gate,
    ):
        seed_if_changed()
        return settle_identity(run, gate, full=full)


def settle_identity(run: Run, gate: gates.Courtroom, *, full: bool = False) -> bool:
    """Go from staged records to ids, step by step and through the gate; say whether any id changed.

    Rulings and edited rules count as taken in only once the gate has passed: a run that was
    refused or killed is followed by one that settles and judges again.
    """
    with run.timed("identity"):
        prepare_records(run.run_id, full=full)
    with identity.taking_effect() as reopened:
        if reopened:
            get_run_logger().info("%s rulings are to be reviewed again.", reopened)
        with run.timed("identity"):
            for domain in identity.MATCHED_DOMAINS:
                match_records(domain, run.run_id)
            is_changed = assign_ids(run.run_id)
        with run.timed("gate identity"):
            judge(gate, "identity", run.run_id)
    with connect() as connection:
        identity.remember_signatures(connection)
    return is_changed


@task(task_run_name="put records into one spelling", cache_policy=NO_CACHE)
def prepare_records(run_id: int, *, full: bool) -> None:
    """Compute how changed records are compared, and which of them a key links."""
    identity.standardise(run_id)
    with connect() as connection:
        is_outdated = identity.records_are_outdated(connection)
    identity.compute_records(run_id, full=full or is_outdated)


@task(task_run_name="compare {domain} that look alike", cache_policy=NO_CACHE)
def match_records(domain: str, run_id: int) -> None:
    """Score the pairs that a change can touch."""
    get_run_logger().info("%s", identity.match(domain, run_id))


@task(task_run_name="decide which records are the same", cache_policy=NO_CACHE)
def assign_ids(run_id: int) -> bool:
    """Bring ids and crosswalks in line with keys, scores and rulings; say whether any changed."""
    changes = identity.assign(run_id)
    for domain, what in changes.items():
        get_run_logger().info("%s: %s", domain, what)
    return not all(what.is_unchanged for what in changes.values())


@task(task_run_name="gate: {promotion}", cache_policy=NO_CACHE)
def judge(gate: gates.Courtroom, promotion: str, run_id: int, slot: str | None = None) -> None:
    """Let Great Expectations judge a promotion and show the verdict; refuse when it says no."""
    verdict = gate.judge(promotion, run_id=run_id, slot=slot)
    if verdict.is_refused or not gates.data_docs_page().exists():
        gate.draw_data_docs()
    create_markdown_artifact(
        key=f"gate-{promotion}",
        markdown=gates.markdown(verdict),
        description=gates.headline(verdict),
    )
    if verdict.is_refused:
        raise GateRefusedError(gates.headline(verdict))
