"""The record of publications: which is live, what it held, how it differs from the one before."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from flows.core.warehouse import connect
from flows.publishing.catalogue import Catalogue
from flows.publishing.dependents import Outcome
from flows.publishing.shape import slot_schema


@dataclass(frozen=True)
class Record:
    """One row of ops.publications."""

    publication_id: int
    run_id: int | None
    slot: str
    version: int
    kind: str
    is_live: bool
    published_at: datetime
    fingerprint: str | None
    catalogue: dict[str, Any]


@dataclass(frozen=True)
class NewRecord:
    """A publication about to be recorded."""

    run_id: int | None
    slot: str
    version: int
    kind: str
    fingerprint: str
    catalogue: Catalogue


@dataclass(frozen=True)
class TableDifference:
    """One published table against the publication before; a change is None where there was none."""

    table: str
    row_count: int
    row_count_change: int | None
    sums: Mapping[str, Decimal]
    sum_changes: Mapping[str, Decimal]


RECORDS = """
    select
        publication_id, run_id, slot, version, kind, is_live, published_at, fingerprint, catalogue
    from ops.publications
"""


def live(connection: Connection) -> Record | None:
    """Return the publication analysts read, None when there is none."""
    return _first(connection, "where is_live", ())


def record(connection: Connection, publication_id: int) -> Record | None:
    """Return one publication, None when there is no such one."""
    return _first(connection, "where publication_id = %s", (publication_id,))


def before(connection: Connection, current: Record) -> Record | None:
    """Return the last publication of the other slot before this one, None when there is none."""
    return _first(
        connection,
        "where publication_id < %s and slot <> %s order by publication_id desc limit 1",
        (current.publication_id, current.slot),
    )


def make_live(connection: Connection, new: NewRecord) -> int:
    """Record a publication as the live one and return its id."""
    connection.execute("update ops.publications set is_live = false where is_live")
    row = connection.execute(
        """
        insert into ops.publications (run_id, slot, version, kind, fingerprint, catalogue)
        values (%s, %s, %s, %s, %s, %s) returning publication_id
        """,
        (
            new.run_id,
            new.slot,
            new.version,
            new.kind,
            new.fingerprint,
            Jsonb(new.catalogue.to_json()),
        ),
    ).fetchone()
    assert row is not None  # noqa: S101 - returning always gives the row
    return int(row[0])


def published_tables(connection: Connection, current: Record | None) -> frozenset[str]:
    """Name the tables of a publication."""
    rows = connection.execute(
        "select table_name from ops.publication_tables where publication_id = %s",
        (current.publication_id if current else None,),
    ).fetchall()
    return frozenset(row[0] for row in rows)


def measure(
    connection: Connection, publication_id: int, slot: str, sums: Mapping[str, Sequence[str]]
) -> None:
    """Count and sum every table of a publication exactly, each in one scan."""
    for table, columns in sums.items():
        # Read first and written then: Postgres reads with several processes only where none writes.
        measured = connection.execute(
            sql.SQL("select count(*), jsonb_build_object({})::text from {}").format(
                sql.SQL(", ").join(map(_sum, columns)),
                sql.Identifier(slot_schema(slot), table),
            )
        ).fetchone()
        connection.execute(
            "insert into ops.publication_tables (publication_id, table_name, row_count, sums) "
            "values (%s, %s, %s, %s::jsonb)",
            (publication_id, table, *(measured or (0, "{}"))),
        )


def copy_measures(
    connection: Connection, publication_id: int, earlier: Record, tables: Iterable[str]
) -> None:
    """Take over what the same slot and version held earlier; other tables are empty."""
    connection.execute(
        """
        insert into ops.publication_tables (publication_id, table_name, row_count, sums)
        select %s, t.table_name, coalesce(p.row_count, 0), coalesce(p.sums, '{}')
        from unnest(%s::text[]) as t (table_name)
        left join ops.publication_tables as p
            on p.table_name = t.table_name and p.publication_id = %s
        """,
        (publication_id, list(tables), earlier.publication_id),
    )


def compare(connection: Connection, publication_id: int, previous: Record | None) -> None:
    """Write the differences to the publication that was live before."""
    if previous is None:
        return
    connection.execute(
        """
        update ops.publication_tables as new
        set
            row_count_change = new.row_count - old.row_count,
            sum_changes = (
                select coalesce(jsonb_object_agg(n.key, n.value::numeric - o.value::numeric), '{}')
                from jsonb_each_text(new.sums) as n
                inner join jsonb_each_text(old.sums) as o on o.key = n.key
            )
        from ops.publication_tables as old
        where
            new.publication_id = %s and old.publication_id = %s
            and old.table_name = new.table_name
        """,
        (publication_id, previous.publication_id),
    )


def keep_outcomes(connection: Connection, publication_id: int, outcomes: Iterable[Outcome]) -> None:
    """Keep the definitions of analysts' views that were dropped or made again."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.publication_views
                (publication_id, view_name, owner, outcome, definition, reason)
            values (%s, %s, %s, %s, %s, %s)
            """,
            [
                (publication_id, o.view_name, o.owner, o.outcome, o.definition, o.reason)
                for o in outcomes
            ],
        )


def read_differences(connection: Connection, publication_id: int) -> list[TableDifference]:
    """Return every table of a publication with its differences, by name."""
    rows = connection.execute(
        """
        select table_name, row_count, row_count_change, sums::text, sum_changes::text
        from ops.publication_tables where publication_id = %s order by table_name collate "C"
        """,
        (publication_id,),
    ).fetchall()
    return [
        TableDifference(table, row_count, change, _decimals(sums), _decimals(sum_changes))
        for table, row_count, change, sums, sum_changes in rows
    ]


def differences(publication_id: int) -> list[TableDifference]:
    """Return how a publication differs from the one before, for an artifact or a report."""
    with connect() as connection:
        return read_differences(connection, publication_id)


def _sum(column: str) -> sql.Composed:
    return sql.SQL("{}::text, coalesce(sum({}), 0)").format(column, sql.Identifier(column))


def _decimals(text: str) -> dict[str, Decimal]:
    # Floats would lose cents.
    numbers = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return {name: Decimal(number) for name, number in numbers.items()}


def _first(connection: Connection, condition: str, parameters: tuple[object, ...]) -> Record | None:
    with connection.cursor(row_factory=class_row(Record)) as cursor:
        return cursor.execute((RECORDS + condition).encode(), parameters).fetchone()
