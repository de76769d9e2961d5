"""What the tests of landing share."""

from pathlib import Path
from typing import Any

from psycopg import sql

from flows.core.warehouse import connect
from flows.landing import LandedBatch, land_connection
from flows.sources.connections import ConnectionConfig


def land(folder: Path, name: str = "erp", **options: Any) -> list[LandedBatch]:
    config = ConnectionConfig(name, "files", {"path": str(folder)})
    return land_connection(config, run_id=None, **options)


def land_one(folder: Path, **options: Any) -> LandedBatch:
    (batch,) = land(folder, **options)
    return batch


def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def raw(name: str, schema: str = "raw_erp") -> list[dict[str, Any]]:
    statement = sql.SQL("select payload from {} order by batch_id, raw_id")
    with connect() as connection:
        found = connection.execute(statement.format(sql.Identifier(schema, name))).fetchall()
    return [row[0] for row in found]
