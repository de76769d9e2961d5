"""The budget in one go: a fresh database, a first run, an unchanged one, one with 1 % changed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import yaml
from psycopg import sql

from flows.bench import landing
from flows.bench.report import Figure
from flows.core.databases import with_database
from flows.core.migrations import migrate
from flows.core.settings import export, settings
from flows.core.warehouse import connect, warehouse_url
from flows.sandbox.volume import write_volume, write_volume_change

DATABASE = "concord_bench"
STEPS = (
    "landing",
    "incoming",
    "staging",
    "identity",
    "marts",
    "publishing",
    "spare slot",
    "sealing",
    "reconciliation",
    "lineage",
)
GATES = ("gate raw", "gate identity", "gate marts")


def measure(order_lines: int, say: Callable[[str], None]) -> list[Figure]:
    """Measure every figure on databases of their own, which are dropped afterwards."""
    with TemporaryDirectory(dir=scratch()) as written:
        folder = Path(written)
        say(f"Writing {order_lines:,} order lines …")
        write_volume(folder / "volume", order_lines=order_lines)
        connections_file(folder / "volume")
        with bench_database():
            figures = _landing(folder, say)
        with bench_database():
            return figures + _runs(folder, order_lines, say)


def _landing(folder: Path, say: Callable[[str], None]) -> list[Figure]:
    say("Landing against psql …")
    lines = folder / "volume" / "erp" / "order_lines.jsonl"
    table = folder / "lines_as_csv" / "order_lines.csv"
    table.parent.mkdir()
    only = folder / "lines_as_json"
    only.mkdir()
    (only / lines.name).symlink_to(lines)
    _as_csv(lines, table)
    return landing.figures(only / lines.name, table)


def _as_csv(lines: Path, table: Path) -> None:
    with lines.open(encoding="utf-8") as source, table.open("w", encoding="utf-8") as target:
        for number, line in enumerate(source):
            row = json.loads(line)
            if number == 0:
                target.write(",".join(row) + "\n")
            target.write(",".join("" if v is None else str(v) for v in row.values()) + "\n")


def _runs(folder: Path, order_lines: int, say: Callable[[str], None]) -> list[Figure]:
    say("First run …")
    first = _run()
    say("Unchanged run …")
    unchanged = _run()
    write_volume_change(folder / "volume", share=0.01)
    say("Run with 1 % changed …")
    changed = _run()
    return [
        Figure(
            "first run",
            first.total,
            "s",
            detail=f"{order_lines:,} order lines, {first.text}; process {first.wall:.1f} s",
        ),
        Figure("unchanged run, after start-up", unchanged.total, "s", 10.0, detail=unchanged.text),
        Figure(
            "run with 1 % changed, of the first run",
            100 * changed.total / first.total,
            "%",
            10.0,
            detail=f"{changed.total:.1f} s, {changed.text}",
        ),
        Figure("gates of the first run", first.gates, "s", 10.0),
        Figure(
            "orchestration, start-up and gates, of the first run",
            100 * (first.wall - first.work) / first.wall,
            "%",
            20.0,
            detail=f"{first.wall - first.work:.1f} s of {first.wall:.1f} s",
        ),
    ]


class _Run:
    """What one run took, in seconds: the process, the flow, and each step of it."""

    def __init__(self, wall: float, total: float, timings: dict[str, float]) -> None:
        self.wall, self.total, self.timings = wall, total, timings

    @property
    def work(self) -> float:
        return sum(self.timings.get(step, 0.0) for step in STEPS)

    @property
    def gates(self) -> float:
        return sum(self.timings.get(step, 0.0) for step in GATES)

    @property
    def text(self) -> str:
        return ", ".join(f"{step} {seconds:.1f}" for step, seconds in self.timings.items())


def _run() -> _Run:
    started = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-m", "flows.cli.main", "run", "--json"],
        check=False,
        capture_output=True,
        cwd=settings().project_root,
    )
    wall = time.monotonic() - started
    if finished.returncode:
        raise RuntimeError(finished.stderr.decode()[-4000:])
    with connect() as connection:
        row = connection.execute(
            "select extract(epoch from finished_at - started_at)::float8, timings "
            "from ops.runs order by run_id desc limit 1"
        ).fetchone()
    assert row is not None  # noqa: S101 - the run above wrote it
    return _Run(wall, row[0], row[1])


def connections_file(folder: Path) -> None:
    """Let the settings point at the CRM and the ERP in a folder."""
    content: dict[str, Any] = {
        "connections": {
            name: {"system": "files", "path": str(folder / name)} for name in ("crm", "erp")
        }
    }
    path = folder / "connections.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    use_connections(path)


def use_connections(path: Path) -> None:
    """Let the settings point at a connections file."""
    export({"CONCORD_CONNECTIONS": str(path)})
    settings.cache_clear()


def scratch() -> Path:
    """Return a folder for what is measured."""
    folder = settings().home / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def bench_database() -> Iterator[None]:
    """Make a database for as long as the block lasts, and let the settings point at it."""
    server = warehouse_url()
    _recreate(server)
    export({"CONCORD_WAREHOUSE_URL": with_database(server, DATABASE)})
    settings.cache_clear()
    warehouse_url.cache_clear()
    migrate()
    try:
        yield
    finally:
        export({"CONCORD_WAREHOUSE_URL": server})
        settings.cache_clear()
        warehouse_url.cache_clear()
        _drop(server)


def _recreate(server: str) -> None:
    _drop(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _drop(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(DATABASE))
        )
