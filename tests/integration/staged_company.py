"""The sandbox company written straight into staging, without what its first gate holds back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from flows.core.canonical import Entity, entities
from flows.core.warehouse import connect
from flows.sandbox.assembly import make_company
from flows.sandbox.extract import Row
from flows.sandbox.truth import CompanyTruth
from flows.sandbox.world import Plan, World
from tests.fixtures.postgres import forget_settings, new_database
from tests.integration.staged import create_staging, new_run

TECHNICAL = ("source_system", "kind", "source_key", "version", "is_deleted")
AS_OF = date(2026, 10, 30)


@contextmanager
def staged_company(server: str, template: str, home: Path) -> Iterator[tuple[int, CompanyTruth]]:
    """Stage the company in a database of its own while the block lasts; yield run and truth."""
    with new_database(server, template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_WAREHOUSE_URL", url)
        patch.setenv("CONCORD_HOME", str(home))
        forget_settings()
        create_staging()
        run_id = new_run()
        yield run_id, stage_company(run_id)
    forget_settings()


def stage_company(run_id: int, *, seed: int = 7, scale: float = 1.0) -> CompanyTruth:
    """Write the whole company as the newest version of every key; return what is planted in it."""
    world, truth = make_company(Plan(seed, scale, AS_OF))
    held = {(fault.document_type, fault.document_key) for fault in truth.row_faults}
    with connect() as connection:
        for entity in entities():
            for system in ("crm", "erp"):
                _copy(connection, entity, system, run_id, _accepted(world, entity, system, held))
        connection.execute("analyze")
    return truth


def _accepted(world: World, entity: Entity, system: str, held: set[tuple[str, str]]) -> list[Row]:
    document = entity.document_type
    rows = world.extract.tables.get((system, entity.name), [])
    return [row for row in rows if (document, str(row.get(f"{document}_id"))) not in held]


def _copy(
    connection: psycopg.Connection, entity: Entity, system: str, run_id: int, rows: list[Row]
) -> None:
    if not rows:
        return
    columns = [name for name in entity.column_names if name in rows[0] and name != "is_deleted"]
    statement = sql.SQL("copy staging.{} ({}) from stdin").format(
        sql.Identifier(entity.name),
        sql.SQL(", ").join(map(sql.Identifier, (*TECHNICAL, *columns))),
    )
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            key = "|".join(str(row[name]) for name in entity.key)
            values = [None if row[name] is None else str(row[name]) for name in columns]
            copy.write_row([system, system, key, run_id, False, *values])
