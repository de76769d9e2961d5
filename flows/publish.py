"""Point the published views at the candidate marts."""

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows import gates, publishing
from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.core.warehouse import connect
from flows.publishing.report import markdown


@flow(name="publish", flow_run_name="publish")
def publish(allow_breaking: bool = False) -> int:
    """Publish the candidate that passed its gate; return the publication's number.

    Raises GateRefusedError when the candidate did not pass, PublicationRefusedError when a
    column that analysts rely on would go.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run("publish", flow_run_id=flow_run.get_id(), on_wait=logger.info) as run:
        with run.timed("publishing"):
            publication = flip_views(run.run_id, allow_breaking)
        with run.timed("spare slot"):
            fill_the_empty_slot(publication.slot)
        create_markdown_artifact(
            key="publication",
            markdown=markdown(publication),
            description=f"Publication {publication.publication_id}",
        )
    return publication.publication_id


@task(task_run_name="point the published views at the candidate", cache_policy=NO_CACHE)
def flip_views(run_id: int, allow_breaking: bool) -> publishing.Publication:
    """Flip all views in one transaction, once the gate has passed what they will show."""
    with connect() as connection:
        slot = publishing.candidate_slot(connection)
        gates.require_passed(connection, "marts", publishing.slot_version(connection, slot))
    return publishing.publish(slot, run_id, allow_breaking=allow_breaking)


@task(task_run_name="get the spare slot ready", cache_policy=NO_CACHE)
def fill_the_empty_slot(live: str) -> None:
    """After the first publication, copy it, so that the next run has to catch up only."""
    with connect() as connection:
        spare = publishing.candidate_slot(connection)
        is_empty = publishing.slot_version(connection, spare) == 0
        model_hash = publishing.slot_models(connection, live)
    if is_empty and model_hash:
        publishing.copy_live_to_spare(model_hash)
