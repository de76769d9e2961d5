"""The numbered migrations against a real server."""

import pytest

from flows.core.errors import MigrationError
from flows.core.migrations import known, migrate
from flows.core.warehouse import connect


def test_every_known_migration_is_recorded_once(warehouse: str) -> None:
    with connect() as connection:
        applied = connection.execute(
            "select version, name from ops.migrations order by version"
        ).fetchall()
    assert applied == [(migration.version, migration.name) for migration in known()]


def test_migrating_again_runs_nothing(warehouse: str) -> None:
    assert migrate() == []


def test_a_schema_newer_than_the_program_is_refused(warehouse: str) -> None:
    with connect() as connection:
        connection.execute("insert into ops.migrations (version, name) values (9999, 'future')")
    with pytest.raises(MigrationError, match="9999"):
        migrate()


def test_no_two_migrations_share_a_number() -> None:
    versions = [migration.version for migration in known()]
    assert len(versions) == len(set(versions))
