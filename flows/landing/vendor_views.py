"""The views `raw.<system>_<object>`: one object of a vendor's system, all its connections together.

The dbt models of the system map them to the canonical model, as views `raw.<system>_<entity>`.
"""

from psycopg import Connection, sql

from flows.core import canonical
from flows.core.canonical import Entity
from flows.core.dbt import run_dbt
from flows.core.errors import ConnectionsError
from flows.core.signature import remember, remembered, signature
from flows.core.warehouse import connect
from flows.landing.canonical_selects import columns_of
from flows.sources.connections import ConnectionConfig
from flows.sources.vendors import mapped_objects, object_relation_name, relation_name

_SIGNED = "models_of_{}"
_CONNECTIONS = "select connection, kind from ops.connections where system = %s order by connection"
_EXISTS = "select to_regclass(%s) is not null"
_EMPTY = (
    "select null::text as source_system, null::text as kind, null::bigint as batch_id,"
    " null::bigint as raw_id, null::text as operation, null::json as payload where false"
)


def united(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return, by name of the view, the definition and description that it should have."""
    found = {}
    for system, objects in mapped_objects().items():
        connections = connection.execute(_CONNECTIONS, (system,)).fetchall()
        for name in objects:
            selects = [
                _select(source_system, kind, name).as_string(connection)
                for source_system, kind in connections
                if _exists(connection, f"raw_{source_system}", name)
            ]
            definition = "\nunion all\n".join(selects or [_EMPTY])
            about = f"Rows of {name} as received, of every {system} connection."
            found[object_relation_name(system, name)] = (definition, about)
    return found


def entity_select(entity: Entity, config: ConnectionConfig) -> sql.Composable:
    """Return the rows of one connection in the canonical shape that its models give them.

    Where the connection says so, a column is filled from a field of its own (`map_fields`), and
    amounts without a currency get the organisation's (`currency`).
    """
    columns = [_column(entity, name, config) for name, _ in columns_of(entity)]
    return sql.SQL("select {} from {} where source_system = {}").format(
        sql.SQL(", ").join(columns),
        sql.Identifier("raw", relation_name(config.system, entity.name)),
        sql.Literal(config.name),
    )


def own_fields(config: ConnectionConfig) -> dict[tuple[str, str], str]:
    """Return the fields of the connection's own, by entity and column.

    Raises ConnectionsError for one that names no canonical column.
    """
    found: dict[tuple[str, str], str] = {}
    for part in filter(None, map(str.strip, config.options.get("map_fields", "").split(","))):
        target, _, field = map(str.strip, part.partition("="))
        name, _, column = target.partition(".")
        known = {one.name: one.column_names for one in canonical.entities()}
        if not field or column not in known.get(name, ()):
            raise ConnectionsError(
                f"'map_fields' of connection {config.name} says {part!r}; write it as "
                "entity.column=Field, such as accounts.tax_id=VAT_Number__c."
            )
        found[name, column] = field
    return found


def _column(entity: Entity, name: str, config: ConnectionConfig) -> sql.Composable:
    column = sql.Identifier(name)
    if field := own_fields(config).get((entity.name, name)):
        return sql.SQL("payload ->> {} as {}").format(sql.Literal(field), column)
    if name == "currency" and (currency := config.options.get("currency")):
        return sql.SQL("coalesce({0}, {1}) as {0}").format(column, sql.Literal(currency))
    return column


def mapped_entities(connection: Connection, system: str) -> list[Entity]:
    """Return the entities that the system's models have views for."""
    return [
        one
        for one in canonical.entities()
        if _exists(connection, "raw", relation_name(system, one.name))
    ]


def build_models(system: str) -> bool:
    """Make the system's canonical views where they are missing or their models changed.

    Returns whether they were made.
    """
    key, current = _SIGNED.format(system), signature(f"models/staging/{system}")
    with connect() as connection:
        is_there = bool(mapped_entities(connection, system))
        if is_there and remembered(connection, key) == current:
            return False
    run_dbt(["run", "--select", f"path:models/staging/{system}"])
    with connect() as connection:
        remember(connection, key, current)
    return True


def _select(source_system: str, kind: str, name: str) -> sql.Composed:
    return sql.SQL(
        "select {}::text as source_system, {}::text as kind, batch_id, raw_id, operation, payload"
        " from {}"
    ).format(
        sql.Literal(source_system),
        sql.Literal(kind),
        sql.Identifier(f"raw_{source_system}", name),
    )


def _exists(connection: Connection, schema: str, name: str) -> bool:
    relation = sql.Identifier(schema, name).as_string(connection)
    row = connection.execute(_EXISTS, (relation,)).fetchone()
    return bool(row and row[0])
