"""Point the published views back at the marts of the publication before."""

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from flows import publishing
from flows.core.migrations import migrate
from flows.core.runs import recorded_run
from flows.publishing.report import markdown


@flow(name="rollback", flow_run_name="rollback")
def rollback() -> int:
    """Go back to the publication before the live one; return the new publication's number.

    Raises PublicationRefusedError when there is nothing to go back to.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run("rollback", flow_run_id=flow_run.get_id(), on_wait=logger.info) as run:
        with run.timed("rollback"):
            publication = publishing.rollback(run.run_id)
        create_markdown_artifact(
            key="publication",
            markdown=markdown(publication),
            description=f"Publication {publication.publication_id}",
        )
    return publication.publication_id
