"""The failing rows of the incoming tables, gathered once for everything that follows."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from psycopg import Connection, sql

from flows.gates.verdict import Result

INCOMING = "incoming"
DOCUMENTS = "documents"
GATHERED = """
    drop table if exists pg_temp.gate_failing;
    create temp table gate_failing (
        entity text, rule text, source_system text, source_key text, document_type text,
        document_key text, batch_id bigint, raw_id bigint, money_at_risk numeric,
        is_judged boolean, is_newest boolean
    ) on commit drop
"""
ROWS = """
    insert into gate_failing
    select
        {entity}, rule, source_system, source_key, document_type, document_key,
        batch_id, raw_id, money_at_risk,
        is_newest and not is_retry and batch_id <> all(array(
            select batch_id from ops.pending_batches where is_replaced
        )),
        is_newest
    from {table}, unnest(failed_rules) as rule
    where failed_rules is not null
"""
WHOLE_DOCUMENTS = """
    insert into gate_failing
    select
        {entity}, rule, source_system, document_key, document_type, document_key,
        null, null, money_at_risk, not is_retry, true
    from {table}, unnest(failed_rules) as rule
    where failed_rules is not null
"""


def incoming_tables(connection: Connection) -> dict[str, int]:
    """Return the incoming tables that have rows, with how many of their rows are judged."""
    names = connection.execute(
        "select tablename from pg_tables where schemaname = %s order by tablename", (INCOMING,)
    ).fetchall()
    counts = {name: _judged_rows(connection, name) for (name,) in names}
    return {name: judged for name, (rows, judged) in counts.items() if rows}


def _judged_rows(connection: Connection, table: str) -> tuple[int, int]:
    judged = "not is_retry" if table == DOCUMENTS else "is_newest and not is_retry"
    row = connection.execute(
        sql.SQL("select count(*), count(*) filter (where {}) from {}").format(
            sql.SQL(judged), sql.Identifier(INCOMING, table)
        )
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def index_failing(connection: Connection, tables: Iterable[str]) -> None:
    """Index the failing rows of each table: then no rule costs a scan of the table."""
    for table in tables:
        connection.execute(
            sql.SQL(
                "create index if not exists {} on {} (source_system) where failed_rules is not null"
            ).format(sql.Identifier(f"{table}_failing"), sql.Identifier(INCOMING, table))
        )


def gather(connection: Connection, tables: Iterable[str]) -> None:
    """Collect every failing row of every table into one temporary table."""
    connection.execute(GATHERED)
    for table in tables:
        statement = WHOLE_DOCUMENTS if table == DOCUMENTS else ROWS
        connection.execute(
            sql.SQL(statement).format(
                entity=sql.Literal(table), table=sql.Identifier(INCOMING, table)
            )
        )
    connection.execute("analyze gate_failing")


def money_by_rule(connection: Connection) -> Mapping[tuple[str, str], tuple[int, Decimal]]:
    """Return how many judged rows break each rule of each entity, and their amounts."""
    rows = connection.execute(
        "select entity, rule, count(*), coalesce(sum(money_at_risk), 0) from gate_failing "
        "where is_judged group by entity, rule"
    )
    return {(entity, rule): (int(failed), money) for entity, rule, failed, money in rows}


def sample_keys(connection: Connection, entity: str, rule: str, limit: int = 10) -> tuple[str, ...]:
    """Return the keys of a few failing rows, the most expensive first."""
    rows = connection.execute(
        "select source_system, coalesce(source_key, 'row ' || raw_id) from gate_failing "
        "where is_judged and entity = %s and rule = %s "
        "order by money_at_risk desc nulls last, source_key, raw_id limit %s",
        (entity, rule, limit),
    )
    return tuple(f"{source_system}: {key}" for source_system, key in rows)


def critical_rules(connection: Connection, results: Collection[Result]) -> None:
    """Keep, for the transaction, the rules of which each failure holds a document back."""
    connection.execute("drop table if exists pg_temp.gate_critical")
    connection.execute("create temp table gate_critical (entity text, rule text) on commit drop")
    pairs = [
        (result.suite.partition("__")[2], result.rule)
        for result in results
        if result.severity == "critical" and result.finding.is_row_rule
    ]
    if pairs:
        connection.execute(
            "insert into gate_critical select * from unnest(%s::text[], %s::text[])",
            tuple(map(list, zip(*pairs, strict=True))),
        )
