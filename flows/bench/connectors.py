"""Connectors measured on the sandbox servers: rows a second against dlt's, memory, quiet runs."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from psycopg import sql

from flows.bench.landing import peak_resident_mb
from flows.bench.report import Figure
from flows.bench.scenario import bench_database, scratch
from flows.core.warehouse import connect, warehouse_url
from flows.landing import land_connection
from flows.sources.connections import ConnectionConfig
from flows.sources.salesforce.soql import Walked, select
from flows.sources.salesforce.source import api_of

Say = Callable[[str], None]
Options = Mapping[str, str]

OBJECTS = ("Account", "Contact")
WAYS = {"REST": "1000000000", "Bulk": "1"}  # from how many rows on a job is made
ROUNDS = 3
LEAST_RATIO, MEMORY_LIMIT_MB, MOST_CALLS = 4.0, 200.0, 2.0
SMALL_COMPANY = "0.1"
GET_DLT = (
    "Not against dlt: give --dlt the Python of an environment that has it (python -m venv peers; "
    "peers/bin/pip install 'dlt[postgres]')."
)
# Signing in is no call to an object: a run does it once, however many objects there are.
_CALLS = """
select coalesce(sum(calls), 0) from ops.calls where connection = %s and purpose <> 'sign in'
"""


def measure_connectors(accounts: int, dlt: Path | None, say: Say) -> list[Figure]:
    """Read so many accounts, each with two contacts, by every way; then count a quiet run's calls.

    `dlt` is the Python of another environment; without it the ratios are left out.
    """
    if dlt is None:
        say(GET_DLT)
    with bench_database():
        # These come first, so that the views over both systems are there when time is taken.
        quiet = [_quiet("salesforce", say), _quiet("business_central", say)]
        with served("salesforce", "--accounts", str(accounts)) as known:
            return _reading(known, accounts, dlt, say) + quiet


@contextmanager
def served(system: str, *size: str) -> Iterator[dict[str, str]]:
    """Serve a sandbox in a process of its own; yields its address and credentials."""
    command = [sys.executable, "-m", "flows.sandbox.vendors", "--system", system, *size]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - asked for above
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()


def _reading(known: Options, accounts: int, dlt: Path | None, say: Say) -> list[Figure]:
    """Take turns, so that drift of the machine falls on all alike."""
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in (*WAYS, "dlt")}
    for number in range(ROUNDS):
        say(f"Reading {3 * accounts:,} rows, round {number + 1} of {ROUNDS} …")
        for way, bulk_from in WAYS.items():
            options = {**_salesforce(known), "bulk_from": bulk_from}
            taken[way].append(_ours(f"bench_{way.lower()}_{number}", options))
        if dlt:
            taken["dlt"].append(_theirs(dlt, known, f"bench_dlt_{number}"))
    _refuse_unequal(taken, 3 * accounts)
    return [figure for way in WAYS for figure in _figures(way, taken)]


def _refuse_unequal(taken: Mapping[str, list[dict[str, float]]], rows: int) -> None:
    counts = {way: [one["rows"] for one in rounds] for way, rounds in taken.items()}
    if any(one != rows for found in counts.values() for one in found):
        raise RuntimeError(f"{rows:,} rows were to be read, but were {counts}.")


def _figures(way: str, taken: Mapping[str, list[dict[str, float]]]) -> list[Figure]:
    ours = _rows_a_second(taken[way])
    memory = max(one["resident_mb"] for one in taken[way])
    figures = [
        Figure(f"{way}, rows a second", ours, ""),
        Figure(f"{way}, resident memory", memory, "MB", MEMORY_LIMIT_MB),
    ]
    if taken["dlt"]:
        theirs = _rows_a_second(taken["dlt"])
        detail = f"{ours:,.0f} against {theirs:,.0f} rows a second"
        ratio = Figure(
            f"{way}, of dlt's REST source",
            ours / theirs,
            "times",
            LEAST_RATIO,
            is_floor=True,
            detail=detail,
        )
        figures.append(ratio)
    return figures


def _rows_a_second(rounds: list[dict[str, float]]) -> float:
    return statistics.median(one["rows"] / one["seconds"] for one in rounds)


def _ours(name: str, options: Options) -> dict[str, float]:
    wanted = json.dumps({"name": name, "options": dict(options)})
    command = [sys.executable, "-m", "flows.bench.connectors", wanted]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(finished.stdout))


def _theirs(dlt: Path, known: Options, dataset: str) -> dict[str, float]:
    with TemporaryDirectory(dir=scratch()) as folder:
        wanted = {
            "folder": folder,
            "dataset": dataset,
            "url": known["url"],
            "token": _token(known),
            "queries": _queries(known),
            "warehouse": warehouse_url(),
        }
        # By its file and not as a module, since nothing of the project is in that environment.
        script = Path(__file__).with_name("dlt_rest.py")
        finished = subprocess.run(
            [str(dlt), str(script), json.dumps(wanted)], check=True, stdout=subprocess.PIPE
        )
    return {**json.loads(finished.stdout.splitlines()[-1]), "rows": _rows_in(dataset)}


def _rows_in(dataset: str) -> int:
    """Count what is there: dlt's own counts are of something else where it writes CSV."""
    rows = 0
    with connect() as warehouse:
        for name in OBJECTS:
            table = sql.Identifier(dataset, name.lower())
            counted = warehouse.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
            rows += int(counted[0]) if counted else 0
    return rows


def _token(known: Options) -> str:
    form = {"grant_type": "client_credentials", **known}
    answer = requests.post(f"{known['url']}/services/oauth2/token", data=form, timeout=60)
    return str(answer.json()["access_token"])


def _queries(known: Options) -> dict[str, str]:
    """Return the queries for the fields that our own connector reads."""
    api = api_of(ConnectionConfig("bench", "salesforce", _salesforce(known)))
    described = api.describe(OBJECTS)
    api.close()
    return {name: select(described[name], Walked(), in_order=False) for name in OBJECTS}


def _salesforce(known: Options) -> dict[str, str]:
    names = ("client_id", "client_secret")
    return {"instance_url": known["url"], **{name: known[name] for name in names}}


def _business_central(known: Options) -> dict[str, str]:
    names = ("api_url", "tenant", "environment", "client_id", "client_secret")
    return {"login_url": known["url"], **{name: known[name] for name in names}}


def _quiet(system: str, say: Say) -> Figure:
    """Land a small company twice, and count what the second time asks."""
    say(f"An unchanged run of {system} …")
    with served(system, "--scale", SMALL_COMPANY) as known:
        read = {"salesforce": _salesforce, "business_central": _business_central}[system]
        config = ConnectionConfig(f"quiet_{system}", system, read(known))
        land_connection(config, run_id=None)
        before = _calls(config.name)
        objects = len(land_connection(config, run_id=None))
        calls = _calls(config.name) - before
    name = f"unchanged run, calls an object, {system}"
    return Figure(name, calls / objects, "", MOST_CALLS, detail=f"{calls} for {objects} objects")


def _calls(connection: str) -> int:
    with connect() as warehouse:
        row = warehouse.execute(_CALLS, (connection,)).fetchone()
    return int(row[0]) if row else 0


def _measure_one(wanted: str) -> None:
    given: dict[str, Any] = json.loads(wanted)
    config = ConnectionConfig(given["name"], "salesforce", given["options"])
    started = time.monotonic()
    landed = land_connection(config, run_id=None, objects=OBJECTS)
    seconds = time.monotonic() - started
    rows = sum(batch.landed for batch in landed)
    found = {"seconds": seconds, "resident_mb": peak_resident_mb(), "rows": rows}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _measure_one(sys.argv[1])
