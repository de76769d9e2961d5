"""The main job: every source up to date, judged, unified and published."""

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from flows.build import build
from flows.core.errors import (
    ConcordError,
    SourceFileError,
    SourceRefusedError,
    SourceUnavailableError,
)
from flows.core.migrations import migrate
from flows.core.runs import Run, recorded_run
from flows.core.subflows import inside_a_flow
from flows.core.summary import summary
from flows.land import chosen, land
from flows.publish import publish

UNREADABLE = (SourceFileError, SourceRefusedError, SourceUnavailableError)


@flow(name="integrate", flow_run_name="integrate")
def integrate(connections: list[str] | None = None, full: bool = False) -> str:
    """Bring every source up to date and publish the marts; each promotion only through its gate.

    `connections`: which to land, all when empty. `full`: rebuild staging and marts from raw.
    Returns `done` or `unchanged`. A run started again goes on from what is committed.
    Raises GateRefusedError when a gate refuses; what is published stays as it is.
    """
    migrate()
    logger = get_run_logger()
    with (
        recorded_run(
            "integrate", full=full, flow_run_id=flow_run.get_id(), on_wait=logger.info
        ) as run,
        inside_a_flow(),
    ):
        try:
            _land_all(connections)
            if build(full=full):
                publish()
        finally:
            _show(run)
    return run.status


def _show(run: Run) -> None:
    create_markdown_artifact(
        key="integrate",
        markdown=summary(run.run_id, run.timings),
        description=f"What run {run.run_id} did",
    )


def _land_all(connections: list[str] | None) -> None:
    """Land every connection before saying which of them could not be read."""
    unreadable: list[ConcordError] = []
    for config in chosen(connections):
        try:
            land(config.name)
        except UNREADABLE as error:
            unreadable.append(error)
    if unreadable:
        raise type(unreadable[0])(" ".join(map(str, unreadable)))
