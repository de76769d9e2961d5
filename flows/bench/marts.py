"""The marts measured: built from staging by dbt, and the same compiled SQL run by psql."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg import sql

from flows.bench.identity import stage
from flows.bench.report import Figure
from flows.bench.scenario import bench_database, connections_file, scratch
from flows.core.dbt import parsed_manifest, target_path
from flows.core.psql import run_psql
from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.sandbox.volume import write_volume, write_volume_change

Say = Callable[[str], None]
SLOT, PSQL = "marts_a", "marts_by_psql"
TIMES_OF_PSQL, SHARE_OF_A_CHANGE = 1.25, 10.0
NO_LOOPS = "set local enable_nestloop = off"  # as the macro no_loops_in_a_full_build
SETS_OF_WORK = ("quantity_flow", "order_reconciliation")
# Created after what they read, so their order of creation is an order of building.
TABLES = """
select relname from pg_class
where relnamespace = %s::regnamespace and relkind = 'r' order by oid
"""
INDEXES = "select indexdef from pg_indexes where schemaname = %s and tablename = %s"


@dataclass(frozen=True)
class _Measured:
    """One size: seconds of dbt's process, of psql by mart, and of dbt after 1 % changed."""

    order_lines: int
    by_dbt: float
    by_psql: dict[str, float]
    after_a_change: float

    @property
    def psql(self) -> float:
        return sum(self.by_psql.values())


def measure_marts(sizes: Sequence[int], say: Say) -> list[Figure]:
    """Measure every size on a database of its own; the budget holds at the middle one."""
    measured = [_measure(size, say) for size in sizes]
    middle = len(measured) // 2
    figures = [one for at, each in enumerate(measured) for one in _figures(each, at == middle)]
    return figures + [
        Figure(
            f"{mart}, seconds per million lines",
            measured[-1].by_psql[mart] / measured[-1].order_lines * 1_000_000,
            "s",
            detail=", ".join(
                f"{one.by_psql[mart]:.1f} s at {one.order_lines:,}" for one in measured
            ),
        )
        for mart in SETS_OF_WORK
        if mart in measured[-1].by_psql
    ]


def _figures(measured: _Measured, is_held_to: bool) -> list[Figure]:
    size = f"{measured.order_lines:,} order lines"
    changed = 100 * measured.after_a_change / measured.by_dbt
    return [
        Figure(
            f"all marts, of psql, {size}",
            measured.by_dbt / measured.psql,
            "times",
            TIMES_OF_PSQL if is_held_to else None,
            detail=f"{measured.by_dbt:.1f} s against {measured.psql:.1f} s",
        ),
        Figure(
            f"marts after 1 % changed, {size}",
            changed,
            "%",
            SHARE_OF_A_CHANGE if is_held_to else None,
            detail=f"{measured.after_a_change:.1f} s",
        ),
    ]


def _measure(order_lines: int, say: Say) -> _Measured:
    with TemporaryDirectory(dir=scratch()) as written, bench_database():
        folder = Path(written)
        say(f"Staging {order_lines:,} order lines with invoices and CRM orders …")
        write_volume(folder / "volume", order_lines=order_lines, invoices=True, sales=True)
        connections_file(folder / "volume")
        stage()
        say("Building the marts …")
        by_dbt = _built()
        by_psql = _built_by_psql()
        say("Building them after 1 % changed …")
        write_volume_change(folder / "volume", share=0.01)
        stage()
        return _Measured(order_lines, by_dbt, by_psql, _built())


def _built() -> float:
    """Return the seconds of a process that brings the marts up to date."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "flows.bench.marts"],
        check=True,
        cwd=settings().project_root,
        env=settings().environment,
    )
    return time.monotonic() - started


def _built_by_psql() -> dict[str, float]:
    """Run what dbt compiled, mart by mart, into a schema of its own; return the seconds of each."""
    compiled = {path.stem: path for path in (target_path() / "compiled").rglob("marts/**/*.sql")}
    with connect() as connection:
        marts = [row[0] for row in connection.execute(TABLES, (SLOT,))]
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(PSQL)))
    return {mart: _seconds(_statements(mart, compiled[mart])) for mart in marts}


def _statements(mart: str, compiled: Path) -> str:
    with connect() as connection:
        rows = connection.execute(INDEXES, (SLOT, mart)).fetchall()
    indexes = [row[0].replace(f" ON {SLOT}.", f" ON {PSQL}.") for row in rows]
    table = f"create table {PSQL}.{mart} as\n{compiled.read_text(encoding='utf-8')}"
    return ";\n".join(["begin", *_session_settings(mart), table, *indexes, "commit;"])


def _session_settings(mart: str) -> list[str]:
    """Return what dbt sets for the mart's transaction, so that both work on the same terms."""
    hooks = parsed_manifest().nodes[f"model.concord.{mart}"].config.pre_hook
    return [NO_LOOPS, *(hook.sql for hook in hooks if hook.sql.startswith("set local"))]


def _seconds(statements: str) -> float:
    started = time.monotonic()
    if run_psql(["-q", "-v", "ON_ERROR_STOP=1"], statements):
        raise RuntimeError("psql could not run what dbt compiled; see the lines above.")
    return time.monotonic() - started


def _build() -> None:
    from flows import staging  # noqa: PLC0415 - only the measured process needs them
    from flows.build import build_marts  # noqa: PLC0415
    from flows.core.runs import recorded_run  # noqa: PLC0415

    with recorded_run("build") as run:
        build_marts.fn(run.run_id, staging.plan_of_work(full=False))


if __name__ == "__main__":
    _build()
