"""A run that is killed goes on from what is committed, wherever it was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from prefect.settings import PREFECT_API_URL

from flows.cli.prefect_server import PrefectServer
from flows.core.clock import now
from flows.core.warehouse import connect
from flows.sandbox import company
from tests.fixtures.postgres import forget_settings, new_database
from tests.fixtures.story import about_business, differing, published, write_connections

PATIENCE_SECONDS = 180
JUST_NOW = "just now"
PROGRAM = "from flows.integrate import integrate; print(integrate())"
POINTS = {
    "rows of the first files have landed": "select count(*) >= 3 from ops.batches",
    "staging is half built": "select count(*) >= 8 from pg_tables where schemaname = 'staging'",
    "the marts are being built": "select exists (select from ops.slots where is_building)",
}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    (folder / "extracts").mkdir()
    company.write_company(folder / "extracts", scale=0.3)
    return folder


@contextmanager
def own_warehouse(server: str, template: str, folder: Path) -> Iterator[None]:
    with new_database(server, template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_WAREHOUSE_URL", url)
        patch.setenv("CONCORD_HOME", str(folder / "home"))
        patch.setenv("CONCORD_CONNECTIONS", str(write_connections(folder)))
        patch.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
        forget_settings()
        yield
    forget_settings()


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_when(running: subprocess.Popen[bytes], reached: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        if holds(reached):
            break
        time.sleep(0.02)
    assert running.poll() is None, "the run ended before it could be killed"
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def holds(query: str) -> bool:
    with connect(autocommit=True) as connection:
        try:
            row = connection.execute(query.encode()).fetchone()
        except psycopg.errors.UndefinedTable:
            return False
    return bool(row and row[0])


def finish() -> dict[str, list[tuple[object, ...]]]:
    """Run to the end; moments of this very test, such as when an id was made, compare as equal."""
    assert start().wait(timeout=PATIENCE_SECONDS) == 0
    with connect() as connection:
        tables = about_business(published(connection))
    return {
        name: [tuple(JUST_NOW if is_recent(value) else value for value in row) for row in rows]
        for name, rows in tables.items()
    }


def is_recent(value: object) -> bool:
    return isinstance(value, datetime) and now() - value < timedelta(hours=1)


def test_a_run_killed_at_any_point_ends_as_an_undisturbed_one(
    postgres_server: str, migrated_template: str, prefect_server: PrefectServer, extracts: Path
) -> None:
    with own_warehouse(postgres_server, migrated_template, extracts):
        undisturbed = finish()
    with own_warehouse(postgres_server, migrated_template, extracts):
        for reached in POINTS.values():
            kill_when(start(), reached)
        assert not differing(finish(), undisturbed)
        assert holds(
            "select bool_and(status = 'staged' and landed_count = accepted_count "
            "+ quarantined_count) from ops.batches"
        )


def test_two_runs_at_once_come_one_after_the_other(
    postgres_server: str, migrated_template: str, prefect_server: PrefectServer, extracts: Path
) -> None:
    with own_warehouse(postgres_server, migrated_template, extracts):
        first, second = start(), start()
        assert first.wait(timeout=PATIENCE_SECONDS) == 0
        assert second.wait(timeout=PATIENCE_SECONDS) == 0
        assert holds("select count(*) = 1 from ops.publications")
        assert holds(
            "select array_agg(status order by status) = array['done', 'unchanged'] from ops.runs"
        )
