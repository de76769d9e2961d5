"""The columns of tables and views as Postgres sees them."""

from collections import defaultdict
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql

from flows.core.errors import PublicationRefusedError

MARTS = "marts"


@dataclass(frozen=True)
class Column:
    """One column; its type is spelled so that it can be cast to."""

    name: str
    type: str
    comment: str | None = None


@dataclass(frozen=True)
class Relation:
    """One table or view with its columns in order."""

    name: str
    kind: str
    comment: str | None
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """Return the column of that name, None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


def slot_schema(slot: str) -> str:
    """Return the schema that holds a slot's tables."""
    return f"marts_{slot}"


def relations(connection: Connection, schema: str) -> dict[str, Relation]:
    """Return every table and view of a schema by name, without what dbt left of a cut run."""
    rows = connection.execute(
        r"""
        select
            c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'),
            a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
        from pg_class as c
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where
            c.relnamespace = to_regnamespace(quote_ident(%s)) and c.relkind in ('r', 'p', 'v', 'm')
            and c.relname !~ '__dbt_(tmp|backup)'
        order by c.relname collate "C", a.attnum
        """,
        (schema,),
    ).fetchall()
    heads: dict[str, tuple[str, str | None]] = {}
    columns: defaultdict[str, list[Column]] = defaultdict(list)
    for name, kind, comment, *column in rows:
        heads[name] = (kind, comment)
        columns[name].append(Column(*column))
    return {name: Relation(name, *head, tuple(columns[name])) for name, head in heads.items()}


def expression_type(connection: Connection, table: sql.Identifier, expression: str) -> str:
    """Return the type that an SQL expression over a table has."""
    query = sql.SQL("select {} from {} limit 0").format(trusted(expression), table)
    try:
        cursor = connection.execute(query)
    except psycopg.ProgrammingError as error:
        raise PublicationRefusedError(
            f"The view expression {expression!r} cannot be computed over "
            f"{table.as_string(connection)}: {error.diag.message_primary}. Correct the model's yml."
        ) from error
    result = cursor.pgresult
    assert result is not None  # noqa: S101 - a select always has a result
    row = connection.execute(
        "select format_type(%s::oid, %s)", (result.ftype(0), result.fmod(0))
    ).fetchone()
    assert row is not None  # noqa: S101 - as above
    return str(row[0])


def trusted(text: str) -> sql.SQL:
    """Take SQL that Postgres itself spelled, or that was reviewed with the models, as it is."""
    return sql.SQL(text)
