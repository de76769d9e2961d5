"""Ask a steward which doubtful pairs are the same, and keep the answers as rulings."""

from typing import Any, Literal, cast
from uuid import UUID, uuid4

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.settings import PREFECT_UI_URL
from pydantic import Field, create_model

from flows.core.migrations import migrate
from flows.core.pages import show_page
from flows.core.warehouse import connect
from flows.identity import review_page, rulings
from flows.identity.review import Batch, Doubt, doubtful_pairs
from flows.identity.review_charts import match_weights, waterfall

Answer = Literal["decide later", "same", "different", "unsure"]
Which = Literal["all", "customers", "contacts", "products"]
LATER = "decide later"
SECONDS_BETWEEN_LOOKS = 2
SECONDS_PER_HOUR = 3600
MOST_PAIRS = 25


class Review(RunInput):
    """Rule on the pairs below; what you leave at "decide later" is asked again another time."""

    decided_by: str = Field(
        title="Who decides",
        description="Your name; it is kept with every ruling.",
        min_length=2,
    )
    reason: str = Field(
        default="",
        title="Reason",
        description="Kept with every ruling that has no reason of its own.",
    )
    go_on: bool = Field(
        default=True, title="Go on with the next pairs", description="Untick to finish here."
    )


@flow(name="review-matches", flow_run_name="review {domain}")
def review_matches(domain: Which = "all", pairs_per_form: int = 10, wait_hours: float = 8) -> int:
    """Show doubtful pairs, the most valuable first, and keep what a steward rules on them.

    Every form is stored before the next is shown: a run that is cancelled, or that nobody answers
    for `wait_hours`, loses nothing, and another run goes on with what is left. Returns how many
    rulings were written.
    """
    migrate()
    logger = get_run_logger()
    asked: set[rulings.Pair] = set()
    written = 0
    while (batch := next_pairs(domain, min(pairs_per_form, MOST_PAIRS), asked)).doubts:
        answers = pause_flow_run(
            wait_for_input=form(batch, show(batch)),
            timeout=int(wait_hours * SECONDS_PER_HOUR),
            poll_interval=SECONDS_BETWEEN_LOOKS,
        )
        written += keep(batch, answers)
        asked |= {doubt.pair for doubt in batch.doubts}
        left = batch.waiting - len(batch.doubts)
        logger.info("%s rulings so far, %s pairs were not shown yet.", written, left)
        if not answers.go_on:
            break
    show_what_was_ruled(written)
    return written


@task(task_run_name="find doubtful pairs", cache_policy=NO_CACHE)
def next_pairs(domain: Which, limit: int, asked: set[rulings.Pair]) -> Batch:
    """Read the next pairs that nobody has ruled on."""
    with connect() as connection:
        rulings.reopen_changed(connection)
        return doubtful_pairs(
            connection, domain=None if domain == "all" else domain, limit=limit, seen=asked
        )


@task(task_run_name="show them side by side", cache_policy=NO_CACHE)
def show(batch: Batch) -> UUID:
    """Show both records of each pair, and weight by weight why they might match."""
    artifact = create_markdown_artifact(
        key="review-matches",
        markdown=review_page.page(batch.doubts, batch.waiting, charts(batch)),
        description=f"{len(batch.doubts)} of {batch.waiting:,} doubtful pairs",
    )
    return cast("UUID", artifact)


@task(task_run_name="keep the rulings", cache_policy=NO_CACHE)
def keep(batch: Batch, answers: Review) -> int:
    """Write the rulings of one form in one transaction; return how many there were."""
    return rulings.in_warehouse(list(ruled(batch, answers)), through="form")


@task(task_run_name="show what was ruled", cache_policy=NO_CACHE)
def show_what_was_ruled(written: int) -> None:
    """Say what came of the review and when it takes effect."""
    create_markdown_artifact(
        key="review-matches-outcome",
        markdown=f"# {written} rulings written\n\n{rulings.WHEN_APPLIED}\n",
        description=f"{written} rulings written",
    )


def form(batch: Batch, artifact: UUID) -> type[Review]:
    """Return the form for a batch: one question per pair that says what it is about."""
    fields: dict[str, Any] = {}
    for number, doubt in enumerate(batch.doubts, 1):
        fields[f"pair_{number}"] = (Answer, _question(number, doubt))
        fields[f"reason_{number}"] = (
            str,
            Field(default="", title=f"Reason for {number}, if it has one of its own"),
        )
    model = create_model("Review", __base__=Review, **fields)
    # `with_initial_data` would set it, but drops the titles of the fields that it is given.
    model._description = (  # noqa: SLF001 - as said above
        f"{len(batch.doubts)} of {batch.waiting:,} doubtful pairs, the most valuable first. "
        f"[Both records side by side, and weight by weight](/artifacts/artifact/{artifact})"
    )
    return model


def charts(batch: Batch) -> dict[str, str]:
    """Put Splink's charts of a batch beside the UI; return their titles and addresses."""
    with connect() as connection:
        pages = {
            f"what the model of {domain} weighs": match_weights(connection, domain)
            for domain in sorted({doubt.domain for doubt in batch.doubts})
        }
    pages["how each pair came to its probability"] = waterfall(batch.doubts)
    served = {name: show_page(str(uuid4()), html) for name, html in pages.items() if html}
    ui = PREFECT_UI_URL.value() or ""
    return {name: f"{ui}{path}" for name, path in served.items() if path}


def ruled(batch: Batch, answers: Review) -> list[rulings.Ruling]:
    """Return the rulings that a filled-in form says; pairs left for later are not among them."""
    given = answers.model_dump()
    return [
        rulings.Ruling(
            *doubt.pair,
            ruling=rulings.ruling_named(given[f"pair_{number}"]),
            decided_by=answers.decided_by.strip(),
            reason=given[f"reason_{number}"].strip() or answers.reason.strip(),
        )
        for number, doubt in enumerate(batch.doubts, 1)
        if given[f"pair_{number}"] != LATER
    ]


def _question(number: int, doubt: Doubt) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    return Field(
        default=LATER,
        title=f"{number}. {review_page.title(doubt)}",
        description=review_page.escaped(review_page.hint(doubt)),
    )
