"""The demo's story: four runs of the main job over two systems that disagree."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.cli import stack
from flows.cli.demo import systems
from flows.cli.demo.systems import Sandbox
from flows.cli.homes import demo_home, demo_warehouse, use_home
from flows.cli.status import published_tables, tables_text
from flows.core.errors import DemoError
from flows.core.settings import export, settings
from flows.core.warehouse import connect
from flows.sandbox.vendors.planted import planted

FLOW = "integrate/on-demand"
LONGEST_RUN_SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    """How one run of the main job ended, from the ledger."""

    run_id: int
    status: str
    reason: str | None
    seconds: float


def run_demo() -> dict[str, Any]:
    """Tell the story from nothing, in a home of its own; leave all running unless CI is set."""
    started = time.monotonic()
    home = demo_home()
    _start_from_nothing(home)
    with use_home(home):
        try:
            return _tell_from_nothing(home, started)
        except BaseException:
            stack.down()
            raise


def _tell_from_nothing(home: Path, started: float) -> dict[str, Any]:
    _chapter("Starting a Salesforce org and a Business Central tenant, both sandboxes")
    sandboxes = systems.start(home)
    for one in sandboxes.values():
        print(f"   {one.known['url']}")
    with use_home(home, _environment(home, sandboxes)):
        links = _open_the_stage()
        _tell(sandboxes)
        print(f"\nThe whole story took {time.monotonic() - started:.0f} s.")
        return {"tables": published_tables(), "text": _farewell(links)}


def _start_from_nothing(home: Path) -> None:
    with use_home(home):
        stack.down()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def _environment(home: Path, sandboxes: Mapping[str, Sandbox]) -> dict[str, str | None]:
    environment: dict[str, str | None] = {
        "CONCORD_CONNECTIONS": str(systems.write_connections(home)),
        "CONCORD_WAREHOUSE_URL": demo_warehouse(),
    }
    for one in sandboxes.values():
        environment |= one.environment
    return environment


def _open_the_stage() -> str:
    _chapter("Starting Postgres, the Prefect server with its UI, and a worker")
    links = stack.up().text
    export(stack.prefect_environment())
    print(links)
    return links


def _tell(sandboxes: Mapping[str, Sandbox]) -> None:
    known = planted()
    _chapter(
        f"1. A first run: {known.customers} customers in a CRM and an ERP that disagree about "
        f"{known.differing_orders} orders; {known.faulty_documents} documents are faulty"
    )
    _expect(_run(), "done")
    _show_tables()
    _show_quarantine()
    _show_differences()

    _chapter("2. A day of business in both systems")
    for one in sandboxes.values():
        one.tell("play_day")
    _expect(_run(), "done")
    _show_changes()

    _chapter("3. A price list is imported a hundredfold: the gate refuses, published marts stay")
    before = _live_publication()
    erp = sandboxes["business_central"]
    print(f"   {erp.tell('import_prices', decimals_lost=2)} lines of open orders now have it")
    refused = _run()
    _expect(refused, "refused")
    print(f"   {refused.reason}")
    _must(_live_publication() == before, "a refused batch must leave the publication as it is")
    print(f"   Analysts still read publication {before}.")

    _chapter("4. Its repair: the right prices are imported")
    erp.tell("import_prices", decimals_lost=-2)
    _expect(_run(), "done")
    _show_tables()


def _run() -> Outcome:
    """Run the main job through its deployment, as a person would from the UI."""
    from prefect.client.schemas import FlowRun
    from prefect.deployments import run_deployment

    flow_run = run_deployment(
        FLOW, timeout=LONGEST_RUN_SECONDS, poll_interval=0.5, as_subflow=False
    )
    assert isinstance(flow_run, FlowRun)  # noqa: S101 - called from outside an event loop
    with connect() as connection:
        row = connection.execute(
            "select run_id, status, reason, extract(epoch from finished_at - started_at)::float8 "
            "from ops.runs where flow_run_id = %s",
            (flow_run.id,),
        ).fetchone()
    _must(row is not None, f"the flow run {flow_run.name} ended before it began: {flow_run.state}")
    assert row is not None  # noqa: S101 - for the type checker; said in words above
    outcome = Outcome(*row)
    print(f"   Run {outcome.run_id}: {outcome.status} in {outcome.seconds:.1f} s")
    return outcome


def _expect(outcome: Outcome, status: str) -> None:
    _must(
        outcome.status == status,
        f"run {outcome.run_id} should have ended as {status}, it ended as {outcome.status}: "
        f"{outcome.reason}",
    )


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoError(f"The demo did not go as it should: {otherwise}")


def _show_tables() -> None:
    print(tables_text(published_tables()))


QUARANTINE = """
select held.source_system, held.document_type, held.document_key, count(distinct held.raw_id),
    string_agg(distinct failures.rule, ', ')
from quarantine.rows as held
left join ops.failures as failures
    on failures.run_id = held.run_id and failures.severity = 'critical'
    and failures.source_system = held.source_system
    and failures.document_type = held.document_type
    and failures.document_key = held.document_key
where held.status = 'open'
group by 1, 2, 3 order by 1, 2, 3
"""


def _show_quarantine() -> None:
    with connect() as connection:
        rows = connection.execute(QUARANTINE.encode()).fetchall()
    print(f"   In quarantine, whole: {len(rows)} documents")
    for system, kind, key, count, rules in rows:
        print(f"     {system} {kind} {key}: {count} row(s), {rules}")


def _show_differences() -> None:
    with connect() as connection:
        row = connection.execute(
            "select count(*) filter (where cause is not null), "
            "coalesce(sum(abs(unexplained_amount)), 0) from marts.order_reconciliation"
        ).fetchone()
    count, unexplained = row or (0, 0)
    print(
        f"   CRM and ERP differ in {count} orders, each explained; unexplained: {unexplained:.2f}"
    )


def _show_changes() -> None:
    with connect() as connection:
        rows = connection.execute(
            "select table_name, row_count, row_count_change from ops.publication_tables "
            "inner join ops.publications using (publication_id) "
            "where is_live and row_count_change <> 0 order by table_name"
        ).fetchall()
    for name, count, change in rows:
        print(f"     marts.{name:<22} {count:>8,} ({change:+,})")


def _live_publication() -> int:
    with connect() as connection:
        row = connection.execute(
            "select publication_id from ops.publications where is_live"
        ).fetchone()
    return int(row[0]) if row else 0


def _farewell(links: str) -> str:
    if settings().environment.get("CI") == "true":
        return stack.down()
    return f"{links}\nEverything is left running for you to look at; stop it with `make down`."


def _chapter(title: str) -> None:
    print(f"\n{title}")
