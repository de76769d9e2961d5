"""Numbered SQL migrations of the warehouse; each runs once, in order, in its own transaction."""

import re
from dataclasses import dataclass
from importlib.resources import files

from psycopg import Connection

from flows.core.errors import MigrationError
from flows.core.warehouse import connect

LOCK = "select pg_advisory_xact_lock(hashtext('concord.migrations'))"
LEDGER = """
create schema if not exists ops;
create table if not exists ops.migrations (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default clock_timestamp()
);
"""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    statements: str


def migrate() -> list[str]:
    """Bring the warehouse schema up to date and return the names of the migrations that ran.

    Raises MigrationError when the warehouse is newer than this version of Concord.
    """
    with connect() as connection:
        connection.execute(LOCK)
        connection.execute(LEDGER)
        applied = _applied(connection)
        _refuse_a_newer_schema(max(applied, default=0))
        # By number and not by the newest one: branches that grew apart each bring their own.
        pending = [migration for migration in known() if migration.version not in applied]
        for migration in pending:
            _apply(connection, migration)
    return [migration.name for migration in pending]


def known() -> list[Migration]:
    """Return every migration this version ships, in order."""
    return sorted(
        (
            Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8"))
            for entry in files(__name__).iterdir()
            if (match := re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name))
        ),
        key=lambda migration: migration.version,
    )


def _applied(connection: Connection) -> set[int]:
    return {int(version) for (version,) in connection.execute("select version from ops.migrations")}


def _refuse_a_newer_schema(current: int) -> None:
    newest = known()[-1].version
    if current > newest:
        raise MigrationError(
            f"The warehouse schema is at version {current}, this Concord knows versions up to "
            f"{newest}. Update Concord, or point CONCORD_WAREHOUSE_URL at another database."
        )


def _apply(connection: Connection, migration: Migration) -> None:
    connection.execute(migration.statements.encode())
    connection.execute(
        "insert into ops.migrations (version, name) values (%s, %s)",
        (migration.version, migration.name),
    )
