"""Judge what has landed, stage it, settle who is who, and build the candidate marts."""

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows import gates, identity, publishing, staging
from flows.core.dbt import run_dbt, seed_if_changed
from flows.core.migrations import migrate
from flows.core.runs import Run, recorded_run
from flows.core.warehouse import connect
from flows.identify import judge, settle_identity


@flow(name="build", flow_run_name="build")
def build(full: bool = False) -> bool:
    """Bring the candidate marts up to date with raw, gate by gate; say whether anything changed.

    Raises GateRefusedError when a gate refuses; what is published stays as it is.
    """
    migrate()
    logger = get_run_logger()
    with recorded_run(
        "build", full=full, flow_run_id=flow_run.get_id(), on_wait=logger.info
    ) as run:
        plan = staging.plan_of_work(full=full)
        if plan.is_nothing and not identity.is_pending():
            logger.info("Nothing new: the published marts are up to date.")
            run.status = "unchanged"
            return False
        with gates.Courtroom() as gate:
            _promote_raw(run, plan, gate)
            _build_staging(run, plan)
            if _identity_lags(plan):
                settle_identity(run, gate, full=plan.is_full)
            _build_marts(run, plan)
            _promote_marts(run, gate)
    return True


def _promote_raw(run: Run, plan: staging.Plan, gate: gates.Courtroom) -> None:
    with run.timed("incoming"):
        build_incoming(plan)
    with run.timed("gate raw"):
        judge(gate, "raw", run.run_id)


def _build_staging(run: Run, plan: staging.Plan) -> None:
    with run.timed("staging"):
        build_staging(plan)


def _identity_lags(plan: staging.Plan) -> bool:
    """Say whether records, rules or rulings changed since identity last passed its gate."""
    if plan.is_full or identity.is_pending():
        return True
    with connect() as connection:
        settled = gates.last_passed(connection, "identity")
        return not settled or staging.records_changed_since(connection, settled)


def _build_marts(run: Run, plan: staging.Plan) -> None:
    with run.timed("marts"):
        build_marts(run.run_id, plan)


def _promote_marts(run: Run, gate: gates.Courtroom) -> None:
    with connect() as connection:
        slot = publishing.candidate_slot(connection)
    with run.timed("gate marts"):
        judge(gate, "marts", run.run_id, slot)


@task(task_run_name="read what is waiting", cache_policy=NO_CACHE)
def build_incoming(plan: staging.Plan) -> None:
    """Type the pending rows and evaluate every row rule, in one pass per entity."""
    seed_if_changed()
    with connect() as connection:
        staging.clear_incoming(connection, keep=frozenset(plan.entities))
    run_dbt(["run", "--select", "incoming_documents", *[f"incoming_{e}" for e in plan.entities]])


@task(task_run_name="stage what was accepted", cache_policy=NO_CACHE)
def build_staging(plan: staging.Plan) -> None:
    """Merge accepted rows into staging and close their batches."""
    if plan.is_full:
        run_dbt(["run", "--select", "path:models/staging"], full=True)
    elif plan.entities:
        run_dbt(["run", "--select", *staging.models_to_stage(plan)])
    with connect() as connection:
        staging.mark_staged(connection)
        staging.remember_signature(connection)


@task(task_run_name="build the candidate marts", cache_policy=NO_CACHE)
def build_marts(run_id: int, plan: staging.Plan) -> None:
    """Catch the slot that is not live up with staging, or rebuild it when its models changed."""
    with connect() as connection:
        currency = staging.settle_reporting_currency(connection)
        model_hash = staging.marts_signature(currency)
        slot = publishing.candidate_slot(connection)
    if not plan.is_full:
        publishing.copy_live_to_spare(model_hash)
    with connect() as connection:
        full = plan.is_full or publishing.was_built_otherwise(connection, slot, model_hash)
        since = publishing.slot_version(connection, slot)
        lagging = staging.catch_up_selection(connection, since)
    publishing.begin_build(slot, run_id)
    selection = ["--select", "path:models/marts"] if full else lagging
    run_dbt(["run", *selection], slot=slot, since=since, full=full)
    publishing.finish_build(slot, run_id, model_hash)
