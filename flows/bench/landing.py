"""Landing measured against psql's own copy of the same lines on the same server."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from psycopg import sql

from flows.bench.report import Figure
from flows.core.errors import WarehouseUnavailableError
from flows.core.psql import run_psql
from flows.core.warehouse import connect, exists

ROUNDS = 3
JSON_LIMIT, CSV_LIMIT, MEMORY_LIMIT_MB = 0.8, 0.3, 150.0


def figures(jsonl: Path, csv: Path) -> list[Figure]:
    """Return the landing ratios for both formats and the loader's resident memory."""
    ours_json, theirs_json, memory = _paired(jsonl, lambda: _copy_json(jsonl))
    ours_csv, theirs_csv, csv_memory = _paired(csv, lambda: _copy_csv(csv))
    return [
        Figure(
            "landing JSON Lines, of psql \\copy",
            theirs_json / ours_json,
            "times",
            JSON_LIMIT,
            is_floor=True,
            detail=f"{ours_json:.2f} s against {theirs_json:.2f} s",
        ),
        Figure(
            "landing CSV, of psql \\copy into text",
            theirs_csv / ours_csv,
            "times",
            CSV_LIMIT,
            is_floor=True,
            detail=f"{ours_csv:.2f} s against {theirs_csv:.2f} s",
        ),
        Figure("landing, resident memory", max(memory, csv_memory), "MB", MEMORY_LIMIT_MB),
    ]


def _paired(file: Path, copy: Callable[[], None]) -> tuple[float, float, float]:
    """Time both in turns, so that drift of the machine falls on both alike; medians and peak MB."""
    ours: list[float] = []
    theirs: list[float] = []
    memory = 0.0
    for _ in range(ROUNDS):
        theirs.append(_timed(copy))
        measured = _land(file)
        ours.append(measured["seconds"])
        memory = max(memory, measured["resident_mb"])
    return statistics.median(ours), statistics.median(theirs), memory


def _timed(call: Callable[[], None]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


def _copy_json(file: Path) -> None:
    _psql("drop table if exists public.copied; create table public.copied (line json)")
    _psql(
        f"\\copy public.copied from '{file}' with (format csv, quote e'\\x01', delimiter e'\\x02')"
    )


def _copy_csv(file: Path) -> None:
    with file.open(encoding="utf-8") as stream:
        columns = ", ".join(f'"{name}" text' for name in stream.readline().strip().split(","))
    _psql(f"drop table if exists public.copied; create table public.copied ({columns})")
    _psql(f"\\copy public.copied from '{file}' with (format csv, header)")


def _psql(command: str) -> None:
    if run_psql(["-qX", "-v", "ON_ERROR_STOP=1"], f"set client_min_messages = warning;\n{command}"):
        raise WarehouseUnavailableError(f"psql could not run: {command}")


def _land(file: Path) -> dict[str, float]:
    with connect() as connection:
        if exists(connection, sql.Identifier("raw_bench_landing", "order_lines")):
            connection.execute("truncate table raw_bench_landing.order_lines")
        connection.execute("delete from ops.cursors where connection = 'bench_landing'")
    finished = subprocess.run(
        [sys.executable, "-m", "flows.bench.landing", str(file.parent)],
        check=True,
        capture_output=True,
    )
    return dict(json.loads(finished.stdout))


def _measure_one(folder: str) -> None:
    from flows.landing import land_connection  # noqa: PLC0415 - only the measured process needs it
    from flows.sources.connections import ConnectionConfig  # noqa: PLC0415

    config = ConnectionConfig(name="bench_landing", system="files", options={"path": folder})
    started = time.monotonic()
    landed = land_connection(config, run_id=None)
    seconds = time.monotonic() - started
    peak = peak_resident_mb()
    rows = sum(batch.landed for batch in landed)
    print(json.dumps({"seconds": seconds, "resident_mb": peak, "rows": rows}))  # noqa: T201


def peak_resident_mb() -> float:
    """Return this process's own peak: getrusage would show the parent's, carried through fork."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    _measure_one(sys.argv[1])
