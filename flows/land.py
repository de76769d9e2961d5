"""Land one connection's new rows into raw, exactly as received."""

from collections.abc import Sequence
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows.core.errors import ConnectionsError, SourceFileError
from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.landing import LandedBatch, land_connection, report
from flows.sources.connections import load_connections


@flow(name="land", flow_run_name="land {connection}")
def land(
    connection: str,
    objects: list[str] | None = None,
    full: bool = False,
) -> list[dict[str, Any]]:
    """Land what is new at a connection; what was landed before is left alone unless `full`.

    Raises SourceFileError when a file as a whole could not be read; the others are landed.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run("land", flow_run_id=flow_run.get_id(), on_wait=logger.info) as run:
        with run.timed("landing"):
            batches = land_objects(connection, objects, full, run.run_id)
        _show(connection, batches)
    _refuse_unreadable_files(connection, batches)
    return [batch.as_dict() for batch in batches]


@task(task_run_name="land the files of {connection}", cache_policy=NO_CACHE)
def land_objects(
    connection: str,
    objects: Sequence[str] | None,
    full: bool,
    run_id: int,
) -> list[LandedBatch]:
    """Land each object in a transaction of its own, with progress for people to watch."""
    config = chosen([connection])[0]
    progress = _Progress(connection)
    return land_connection(
        config, run_id=run_id, objects=objects, full=full, progress=progress.show
    )


def chosen(names: Sequence[str] | None) -> list[Any]:
    """Return the configured connections of these names, all of them when none is named.

    Raises ConnectionsError for a name that is not configured.
    """
    known = load_connections()
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise ConnectionsError(
            f"There is no connection named {', '.join(unknown)}; "
            f"configured are {', '.join(sorted(known)) or 'none'}."
        )
    return [known[name] for name in names or known]


class _Progress:
    """One progress artifact per object, moved at most once per percent."""

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.shown: dict[str, tuple[Any, int]] = {}

    def show(self, name: str, rows: int, bytes_done: int, bytes_total: int) -> None:
        """Move the bar of the object; a small file is done before one could look."""
        if bytes_total < SMALL_FILE_BYTES:
            return
        percent = min(100, bytes_done * 100 // bytes_total)
        artifact_id, before = self.shown.get(name, (None, -1))
        if percent < before + PERCENT_STEP and percent < 100:  # noqa: PLR2004 - per cent
            return
        if artifact_id is None:
            artifact_id = create_progress_artifact(
                progress=percent, description=f"Landing {self.connection}.{name}: {rows:,} rows"
            )
        else:
            update_progress_artifact(artifact_id=artifact_id, progress=percent)
        self.shown[name] = (artifact_id, percent)


SMALL_FILE_BYTES = 20_000_000
PERCENT_STEP = 5


def _show(connection: str, batches: Sequence[LandedBatch]) -> None:
    logger = get_run_logger()
    for batch in batches:
        logger.info("%s", report.line(batch))
    create_markdown_artifact(
        key=f"landing-{connection.replace('_', '-')}",
        markdown=report.markdown(connection, batches),
        description=f"What landed from {connection}",
    )


def _refuse_unreadable_files(connection: str, batches: Sequence[LandedBatch]) -> None:
    refusals = [f"{batch.file}: {batch.refusal}" for batch in batches if batch.refusal]
    if refusals:
        raise SourceFileError(
            f"{len(refusals)} file(s) of {connection} could not be read; the others are landed. "
            + " ".join(refusals)
        )
