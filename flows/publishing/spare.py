"""Getting the slot that is not live ready by copying, which is quicker than computing it."""

from psycopg import Connection, sql

from flows.core.warehouse import connect
from flows.publishing import slots
from flows.publishing.shape import Relation, relations, slot_schema

KEYS = """
select pg_get_constraintdef(oid) from pg_constraint
where conrelid = %s::regclass and contype in ('p', 'u')
"""
INDEXES = """
select am.amname, substring(pg_get_indexdef(i.indexrelid) from ' USING \\w+ (.*)$')
from pg_index as i
inner join pg_class as c on c.oid = i.indexrelid
inner join pg_am as am on am.oid = c.relam
where
    i.indrelid = %s::regclass
    and not exists (select from pg_constraint where conindid = i.indexrelid)
"""

# What the gate found out about the rows holds for their copies.
JUDGED = """
delete from ops.judged_marts where slot = {spare};
delete from ops.rewritten_keys where slot = {spare};
insert into ops.judged_marts (slot, mart, storage, rules, run_id)
select
    {spare}, mart, pg_relation_filenode(to_regclass(format('%I.%I', {target}, mart))), rules, run_id
from ops.judged_marts
where
    slot = {live}
    and storage = pg_relation_filenode(to_regclass(format('%I.%I', {source}, mart)));
insert into ops.rewritten_keys (slot, mart, key_column, source_system, key)
select {spare}, mart, key_column, source_system, key from ops.rewritten_keys where slot = {live}
"""


def copy_live_to_spare(model_hash: str) -> bool:
    """Make the slot that is not live a copy of the live one, if the live one has these models.

    All in one transaction; a slot that has them already is left alone. Return whether it copied.
    """
    with connect(application="concord publishing") as connection:
        slots.lock(connection)
        live = slots.live_slot(connection)
        if live is None:
            return False
        spare = slots.candidate_slot(connection)
        built = slots.read(connection, live)
        outdated = slots.was_built_otherwise(connection, spare, model_hash)
        if built.model_hash != model_hash or not outdated:
            return False
        _copy_tables(connection, slot_schema(live), slot_schema(spare))
        _copy_judgement(connection, live, spare)
        connection.execute(
            "update ops.slots set version = %s, model_hash = %s, built_at = clock_timestamp(), "
            "is_building = false, building_run_id = null where slot = %s",
            (built.version, built.model_hash, spare),
        )
    return True


def _copy_judgement(connection: Connection, live: str, spare: str) -> None:
    connection.execute(
        sql.SQL(JUDGED).format(
            live=sql.Literal(live),
            spare=sql.Literal(spare),
            source=sql.Literal(slot_schema(live)),
            target=sql.Literal(slot_schema(spare)),
        )
    )


def _copy_tables(connection: Connection, source: str, target: str) -> None:
    for stale in relations(connection, target).values():
        if stale.kind == "r":
            connection.execute(_on("drop table {}", target, stale.name))
    for relation in relations(connection, source).values():
        if relation.kind == "r":
            _copy_table(connection, source, target, relation)


def _copy_table(connection: Connection, source: str, target: str, relation: Relation) -> None:
    """Copy rows first and build keys and indexes after, which sorts once instead of per row."""
    table = relation.name
    original = f'"{source}"."{table}"'
    connection.execute(
        sql.SQL("create table {} (like {} including all excluding indexes)").format(
            sql.Identifier(target, table), sql.Identifier(source, table)
        )
    )
    connection.execute(
        sql.SQL("insert into {} select * from {}").format(
            sql.Identifier(target, table), sql.Identifier(source, table)
        )
    )
    for (definition,) in connection.execute(KEYS, (original,)).fetchall():
        connection.execute(_on("alter table {} add ", target, table) + sql.SQL(definition))
    for method, columns in connection.execute(INDEXES, (original,)).fetchall():
        index = sql.SQL("using {} ").format(sql.Identifier(method)) + sql.SQL(columns)
        connection.execute(_on("create index on {} ", target, table) + index)
    # LIKE copies the comments of columns, not the table's own.
    connection.execute(
        _on("comment on table {} is ", target, table) + sql.Literal(relation.comment)
    )
    connection.execute(_on("analyze {}", target, table))


def _on(statement: str, schema: str, table: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(schema, table))
