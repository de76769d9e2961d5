"""What each command does: set the stage, call the flow, say what came out."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from flows.core.settings import export

Result = dict[str, Any]
T = TypeVar("T")


def demo(_: Namespace) -> Result:
    """Tell the whole story on a generated company."""
    from flows.cli.demo import run_demo

    return run_demo()


def up(_: Namespace) -> Result:
    """Start everything and print the links."""
    from flows.cli import stack

    return {"text": stack.up().text}


def down(_: Namespace) -> Result:
    """Stop everything that `up` or the demo started."""
    from flows.cli import stack
    from flows.cli.homes import demo_home, use_home

    told = [stack.down()]
    if (home := demo_home()).exists():
        with use_home(home):
            told.append(f"The demo: {stack.down()}")
    return {"text": "\n".join(told)}


def status(_: Namespace) -> Result:
    """Say what runs, what is published and what waits."""
    from flows.cli.status import current_status

    return current_status()


def land(arguments: Namespace) -> Result:
    """Land what is new at one connection."""

    def call() -> Result:
        from flows.land import land as flow

        batches = flow(arguments.connection, objects=arguments.objects, full=arguments.full)
        return {"batches": batches, "text": _landing_text(batches)}

    return _in_prefect(call)


def run(arguments: Namespace) -> Result:
    """Run the integrate flow."""

    def call() -> Result:
        from flows.cli.status import published_tables, tables_text
        from flows.core.dbt import preload_in_background
        from flows.gates import begin_to_load
        from flows.integrate import integrate

        # A flow waits for Prefect's server first, and loading takes as long.
        preload_in_background()
        begin_to_load()
        outcome = integrate(full=arguments.full)
        tables = published_tables()
        return {
            "status": outcome,
            "tables": tables,
            "text": f"{outcome}\n{tables_text(tables)}",
        }

    return _in_prefect(call)


def backfill(arguments: Namespace) -> Result:
    """Read one connection again from the start and publish."""

    def call() -> Result:
        from flows.backfill import backfill as flow

        outcome = flow(arguments.connection, objects=arguments.objects)
        return {"status": outcome, "text": outcome}

    return _in_prefect(call)


def publish(arguments: Namespace) -> Result:
    """Publish the candidate marts."""

    def call() -> Result:
        from flows.publish import publish as flow

        number = flow(allow_breaking=arguments.allow_breaking)
        return {"publication": number, "text": f"Publication {number} is live."}

    return _in_prefect(call)


def rollback(_: Namespace) -> Result:
    """Go back to the publication before."""

    def call() -> Result:
        from flows.rollback import rollback as flow

        number = flow()
        return {"publication": number, "text": f"Rolled back; publication {number} is live."}

    return _in_prefect(call)


def evaluate(arguments: Namespace) -> Result:
    """Measure the current crosswalk against pairs known to be the same."""
    from flows.core.migrations import migrate
    from flows.identity.evaluation import evaluate as measure

    migrate()
    found = measure(arguments.truth, arguments.domain)
    return found.as_json() if arguments.json else {"text": found.text}


def show_rules(arguments: Namespace) -> Result:
    """Print who owns which field."""
    from flows.cli.rules import show

    return show(arguments)


def import_rulings(arguments: Namespace) -> Result:
    """Take over every ruling of a file, or none."""
    from flows.core.migrations import migrate
    from flows.identity.rulings_file import import_rulings as take

    migrate()
    done = take(arguments.file, decided_by=arguments.by)
    return {**asdict(done), "text": done.text}


def export_rulings(arguments: Namespace) -> Result:
    """Write the standing rulings, or the pairs that wait for one, into a file."""
    from flows.core.migrations import migrate
    from flows.identity.review_file import export_doubtful
    from flows.identity.rulings_file import export_rulings as give

    migrate()
    count = (export_doubtful if arguments.doubtful else give)(arguments.file)
    return {"pairs": count, "text": f"{count:,} pairs in {arguments.file}"}


def psql(options: list[str]) -> int:
    """Open psql on the warehouse, or run what its options say; return psql's exit status."""
    from flows.core.psql import run_psql

    return run_psql(options)


def metrics(options: list[str]) -> int:
    """Ask MetricFlow about the published marts; return its exit status."""
    from flows.metrics.command import run_mf

    return run_mf(options)


def bench(arguments: Namespace) -> Result:
    """Measure the performance budget, or one part of the project alone."""
    from flows.cli.bench import (
        run_bench,
        run_connectors_bench,
        run_identity_bench,
        run_marts_bench,
    )

    if arguments.identity:
        return run_identity_bench(data=arguments.data, records=arguments.records)
    if arguments.connectors:
        return run_connectors_bench(accounts=arguments.records, dlt=arguments.dlt)
    if arguments.marts:
        return run_marts_bench(order_lines=arguments.lines)
    return run_bench(order_lines=arguments.lines)


def _in_prefect(call: Callable[[], T]) -> T:
    """Run a flow against the Prefect server that is up, or a temporary one of its own."""
    from flows.cli.stack import prefect_environment

    export(prefect_environment())
    return call()


def _landing_text(batches: list[dict[str, Any]]) -> str:
    lines = [
        f"{batch['object']}: {batch['landed']:,} landed, {batch['rejected']:,} rejected"
        + (" (nothing new)" if batch["unchanged"] else "")
        for batch in batches
    ]
    return "\n".join(lines) or "Nothing to land."
