"""The views `raw.<entity>`: every connection's rows of one canonical entity, as text."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from flows.core import canonical
from flows.core.canonical import Entity
from flows.core.settings import settings
from flows.landing import vendor_views
from flows.landing.canonical_selects import (
    canonical_select,
    columns_of,
    empty_select,
    mapped_selects,
)
from flows.sources.connections import ConnectionConfig, load_connections
from flows.sources.files.mapping_reader import load_mapping
from flows.sources.vendors import mapped_objects

_LOCK = "select pg_advisory_xact_lock(hashtext('concord.canonical_views'))"
_RAW_TABLES = """
select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where nspname = %s and relkind in ('r', 'p')
"""
_STORED = "select entity, select_sql from ops.canonical_selects where connection = %s"
_STORE_SELECT = """
insert into ops.canonical_selects (connection, entity, select_sql) values (%s, %s, %s)
on conflict (connection, entity)
do update set select_sql = excluded.select_sql, changed_at = now()
"""
_DROP_SELECT = "delete from ops.canonical_selects where connection = %s and entity = %s"
_STORE_CONNECTION = """
insert into ops.connections (connection, system, kind)
select %(name)s, %(system)s, %(kind)s
where not exists (
    select from ops.connections
    where connection = %(name)s and system = %(system)s and kind = %(kind)s
)
on conflict (connection) do update
set system = excluded.system, kind = excluded.kind, changed_at = now()
"""
_UNCHANGED_VIEWS = """
select entity, definition from ops.canonical_views
where to_regclass(format('raw.%I', entity)) is not null
"""
_STORE_VIEW = """
insert into ops.canonical_views (entity, definition) values (%s, %s)
on conflict (entity) do update set definition = excluded.definition, changed_at = now()
"""
_VIEW_COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = to_regclass(format('raw.%%I', %s::text)) and attnum > 0 and not attisdropped
order by attnum
"""


def refresh(connection: psycopg.Connection, *configs: ConnectionConfig) -> list[str]:
    """Bring every view raw.<entity> in line with the raw tables and mappings there are.

    Takes part in the caller's transaction. The given connections are looked at afresh (without
    any: those of the connections file); the others keep what they last gave, configured or not.
    Returns the names of the views that changed; when nothing changed, nothing is locked.
    """
    wanted = {one.name: _selects(connection, one) for one in configs or _configured()}
    _unite_vendors(connection)
    if not _changes(connection, wanted) and not _outdated_views(connection):
        return []
    connection.execute(_LOCK)
    for name, entity, select in _changes(connection, wanted):
        _store(connection, name, entity, select)
    outdated = _outdated_views(connection)
    for entity_name, definition in outdated.items():
        _replace_view(connection, canonical.entity(entity_name), definition)
    return list(outdated)


def kind_of(config: ConnectionConfig, entities: Iterable[str]) -> str:
    """Tell whether a connection is a CRM or an ERP: as configured, else by its entities."""
    if config.kind:
        return config.kind
    only_erp = {one.name for one in canonical.entities() if one.kinds == ("erp",)}
    return "erp" if only_erp & set(entities) else "crm"


def _configured() -> Iterator[ConnectionConfig]:
    if settings().connections_file.is_file():
        yield from load_connections().values()


def _selects(connection: psycopg.Connection, config: ConnectionConfig) -> dict[str, str]:
    """Return the select of each entity that the connection has raw rows of."""
    raw_tables = {row[0] for row in connection.execute(_RAW_TABLES, (f"raw_{config.name}",))}
    if config.system in mapped_objects():
        known = vendor_views.mapped_entities(connection, config.system) if raw_tables else []
        entities, kind = raw_tables, kind_of(config, [one.name for one in known])
        found = {one.name: vendor_views.entity_select(one, config) for one in known}
    elif mapping_file := config.options.get("mapping"):
        mapping = load_mapping(Path(mapping_file))
        entities = {name for table in raw_tables for name in mapping.entities_of(table)}
        kind = kind_of(config, entities)
        found = mapped_selects(mapping, config.name, kind, raw_tables)
    else:
        known = [one for one in canonical.entities() if one.name in raw_tables]
        entities = {one.name for one in known}
        kind = kind_of(config, entities)
        found = {one.name: canonical_select(one, config.name, kind) for one in known}
    if entities:
        values = {"name": config.name, "system": config.system, "kind": kind}
        connection.execute(_STORE_CONNECTION, values)
    return {name: select.as_string(connection) for name, select in found.items()}


def _unite_vendors(connection: psycopg.Connection) -> None:
    """Bring the views that unite vendors' objects in line with the raw tables there are."""
    made: dict[str, str] = dict(connection.execute(_UNCHANGED_VIEWS).fetchall())
    wanted = vendor_views.united(connection)
    outdated = {name: one for name, one in wanted.items() if made.get(name) != one[0]}
    if outdated:
        connection.execute(_LOCK)
    for name, (definition, description) in outdated.items():
        view, body = sql.Identifier("raw", name), sql.SQL(definition)
        connection.execute(sql.SQL("create or replace view {} as\n{}").format(view, body))
        connection.execute(
            sql.SQL("comment on view {} is {}").format(view, sql.Literal(description))
        )
        connection.execute(_STORE_VIEW, (name, definition))


def _changes(
    connection: psycopg.Connection, wanted: dict[str, dict[str, str]]
) -> list[tuple[str, str, str | None]]:
    """Return connection, entity and new select (None: no longer one) where it differs."""
    changes: list[tuple[str, str, str | None]] = []
    for name, selects in wanted.items():
        stored: dict[str, str] = dict(connection.execute(_STORED, (name,)).fetchall())
        changes += [(name, one, text) for one, text in selects.items() if stored.get(one) != text]
        changes += [(name, one, None) for one in stored if one not in selects]
    return changes


def _store(connection: psycopg.Connection, name: str, entity: str, select: str | None) -> None:
    if select is None:
        connection.execute(_DROP_SELECT, (name, entity))
    else:
        connection.execute(_STORE_SELECT, (name, entity, select))


def _outdated_views(connection: psycopg.Connection) -> dict[str, str]:
    """Return the definition that each missing or outdated view should have."""
    rows = connection.execute(
        "select entity, select_sql from ops.canonical_selects order by entity, connection"
    ).fetchall()
    made: dict[str, str] = dict(connection.execute(_UNCHANGED_VIEWS).fetchall())
    wanted = {}
    for one in canonical.entities():
        selects = [text for name, text in rows if name == one.name]
        selects = selects or [empty_select(one).as_string(connection)]
        wanted[one.name] = "\nunion all\n".join(selects)
    return {name: text for name, text in wanted.items() if made.get(name) != text}


def _replace_view(connection: psycopg.Connection, entity: Entity, definition: str) -> None:
    view = sql.Identifier("raw", entity.name)
    existing = connection.execute(_VIEW_COLUMNS, (entity.name,)).fetchall()
    wanted = columns_of(entity)
    if [tuple(column) for column in existing] != list(wanted[: len(existing)]):
        # Postgres can only add columns at the end of a view that stays.
        connection.execute(sql.SQL("drop view {}").format(view))
    body = sql.SQL(definition)
    connection.execute(sql.SQL("create or replace view {} as\n{}").format(view, body))
    comment = sql.SQL("comment on view {} is {}").format(view, sql.Literal(entity.description))
    connection.execute(comment)
    connection.execute(_STORE_VIEW, (entity.name, definition))
