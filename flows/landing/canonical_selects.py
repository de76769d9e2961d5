"""The selects that the views `raw.<entity>` are made of."""

from collections.abc import Set as AbstractSet

from psycopg import sql

from flows.core import canonical
from flows.core.canonical import Entity
from flows.sources.files.mapping import FileMapping
from flows.sources.files.mapping_sql import PartSelect, Relation

TECHNICAL_COLUMNS = (
    ("source_system", "text"),
    ("kind", "text"),
    ("batch_id", "bigint"),
    ("raw_id", "bigint"),
    ("operation", "text"),
    ("payload", "json"),
    ("invalid_columns", "text[]"),
)


def columns_of(entity: Entity) -> list[tuple[str, str]]:
    """Return name and type of every column of raw.<entity>, in order."""
    return [*TECHNICAL_COLUMNS, *((name, "text") for name in entity.column_names)]


def canonical_select(entity: Entity, source_system: str, kind: str) -> sql.Composable:
    """Return the rows of a table that holds the canonical extract format."""
    names = [sql.Identifier(name) for name in entity.column_names]
    return sql.SQL(
        "select {}::text as source_system, {}::text as kind, raw_rows.batch_id, raw_rows.raw_id,"
        " raw_rows.operation, raw_rows.payload, null::text[] as invalid_columns,\n    {}\n"
        "from {} as raw_rows\n"
        "cross join lateral json_to_record(raw_rows.payload) as field({})"
    ).format(
        sql.Literal(source_system),
        sql.Literal(kind),
        sql.SQL(", ").join([sql.SQL("field.{}").format(name) for name in names]),
        sql.Identifier(f"raw_{source_system}", entity.name),
        sql.SQL(", ").join([sql.SQL("{} text").format(name) for name in names]),
    )


def mapped_selects(
    mapping: FileMapping, source_system: str, kind: str, raw_tables: AbstractSet[str]
) -> dict[str, sql.Composable]:
    """Return the rows of each mapped entity whose files have all landed at least once."""
    found: dict[str, sql.Composable] = {}
    for entity in canonical.entities():
        selects = [
            PartSelect(mapping, part, _in_schema(f"raw_{source_system}")).rows(
                entity, source_system, kind, position
            )
            for position, part in enumerate(mapping.parts_of(entity.name))
            if raw_tables >= set(part.files)
        ]
        if selects:
            found[entity.name] = sql.SQL("\nunion all\n").join(selects)
    return found


def empty_select(entity: Entity) -> sql.Composable:
    """Return no rows, with the columns that raw.<entity> has."""
    columns = [
        sql.SQL("null::{} as {}").format(sql.SQL(type_name), sql.Identifier(name))
        for name, type_name in columns_of(entity)
    ]
    return sql.SQL("select {} where false").format(sql.SQL(", ").join(columns))


def _in_schema(schema: str) -> Relation:
    return lambda table: sql.Identifier(schema, table)
