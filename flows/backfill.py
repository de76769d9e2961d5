"""Read a connection again from the start, whatever was read before, and publish the result."""

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows.build import build
from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.core.subflows import inside_a_flow
from flows.land import land
from flows.publish import publish


@flow(name="backfill", flow_run_name="backfill {connection}")
def backfill(connection: str, objects: list[str] | None = None) -> str:
    """Land all of a connection (or some of its objects) again, judge it and publish.

    Rows that are the same as before change nothing downstream; older versions do not come back.
    """
    migrate()
    logger = get_run_logger()
    with (
        recorded_run("backfill", flow_run_id=flow_run.get_id(), on_wait=logger.info) as run,
        inside_a_flow(),
    ):
        land(connection, objects=objects, full=True)
        if build():
            publish()
    return run.status
