"""Point the published views at the candidate marts, and say what is in them."""

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows import documents, explaining, gates, publishing, reconciliation
from flows.core.migrations import migrate
from flows.core.pages import show_page
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
        with run.timed("sealing"):
            seal_completed_documents(publication.slot, run.run_id)
        with run.timed("reconciliation"):
            show_reconciliation()
        with run.timed("lineage"):
            trace_columns()
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


@task(task_run_name="seal what is complete", cache_policy=NO_CACHE)
def seal_completed_documents(slot: str, run_id: int) -> None:
    """Seal orders and invoices that were published complete, and show those that changed since."""
    with connect() as connection:
        sealed = documents.seal(connection, slot, run_id)
        page = documents.markdown(connection, sealed) if sealed.open_breaches else None
    get_run_logger().info("%s", sealed.text)
    if page:
        create_markdown_artifact(key="sealed-documents", markdown=page, description=sealed.text)


@task(task_run_name="compare CRM and ERP", cache_policy=NO_CACHE)
def show_reconciliation() -> None:
    """Show from the CRM's total to the ERP's, cause by cause, as tables and as a picture."""
    with connect() as connection:
        text = reconciliation.report(connection)
        page = show_page("crm-against-erp", reconciliation.waterfall_page(connection))
    if page:
        text += f"\n[The waterfalls as pictures, month by month]({page})\n"
    create_markdown_artifact(
        key="reconciliation", markdown=text, description="CRM against ERP, to the cent"
    )


@task(task_run_name="work out where columns come from", cache_policy=NO_CACHE)
def trace_columns() -> None:
    """Let `ops.explain` and `marts.explain` know the models that were published."""
    explaining.refresh()
