"""Point the published views at the candidate marts."""

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.core.warehouse import connect
from flows.publishing import Publication, candidate_slot, publish_slot, report


@flow(name="publish", flow_run_name="publish")
def publish(allow_breaking: bool = False) -> int:
    """Publish the candidate that passed its gate; return the publication's number.

    Raises PublicationRefusedError when a column that analysts rely on would go.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run("publish", flow_run_id=flow_run.get_id(), on_wait=logger.info) as run:
        with run.timed("publishing"):
            publication = flip_views(run.run_id, allow_breaking)
        create_markdown_artifact(
            key="publication", markdown=report.markdown(publication.publication_id)
        )
    return publication.publication_id


@task(task_run_name="point the published views at the candidate", cache_policy=NO_CACHE)
def flip_views(run_id: int, allow_breaking: bool) -> Publication:
    """Flip all views in one transaction."""
    with connect() as connection:
        slot = candidate_slot(connection)
    return publish_slot(slot, run_id, allow_breaking=allow_breaking)
