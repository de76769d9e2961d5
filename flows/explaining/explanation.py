"""Why a published value is what it is: the answer of `ops.explain`, as a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from flows.core.errors import ExplanationError
from flows.core.warehouse import connect
from flows.explaining.catalogue import refresh

Row = Mapping[str, Any]
SOURCE_FIELDS = (
    *(
        "part",
        "relation",
        "source_system",
        "source_key",
        "source_column",
        "source_value",
        "is_used",
    ),
    *("raw_value", "operation", "batch_id", "file", "line", "landed_at", "note", "details"),
)
_EXAMPLES = 5


@dataclass
class Cell:
    """One value of a mart, with what it is made of; values of other marts are cells in turn."""

    table: str
    key: str
    column: str
    value: str | None
    kind: str
    description: str | None
    formula: Sequence[str]
    sources: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain data, cell in cell."""
        return {
            **{name: value for name, value in vars(self).items() if name != "sources"},
            "sources": [
                {
                    name: value.as_json() if isinstance(value, Cell) else value
                    for name, value in source.items()
                }
                for source in self.sources
            ],
        }


@dataclass
class Explanation:
    """What explains one value, or all values of a row, and when they were published."""

    table: str
    key: str
    published: Row
    cells: list[Cell]

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "table": self.table,
            "key": self.key,
            "published": dict(self.published),
            "cells": [cell.as_json() for cell in self.cells],
        }


def explain(table: str, key: str, column: str | None = None) -> Explanation:
    """Explain a published value, or without a column all values of a row.

    Raises ExplanationError, naming what comes close, for a table, key or column that is not there.
    """
    refresh()
    table = table.removeprefix("marts.")
    with connect() as connection:
        _check(connection, table, key, column)
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(
                # As text: numbers in a payload keep the spelling that was received.
                "select *, payload::text as payload_text from ops.explain(%s, %s, %s)",
                (table, key, column),
            ).fetchall()
    return as_tree(table, key, rows)


def as_tree(table: str, key: str, rows: Sequence[Row]) -> Explanation:
    """Put the rows of `ops.explain` in order: each value with what it is made of."""
    [published] = [row for row in rows if row["part"] == "published"]
    cells = {_place(row): _cell(row) for row in rows if row["part"] == "value"}
    for row in rows:
        if row["part"] not in ("published", "value"):
            cells[_place(row)].sources.append(_source(row, cells))
    return Explanation(
        table=table,
        key=key,
        published={"note": published["note"], "published_at": published["landed_at"]}
        | (published["details"] or {}),
        cells=[cell for (step, *_), cell in cells.items() if step == 1],
    )


def _place(row: Row) -> tuple[int, str, str, str]:
    return row["step"], row["table_name"], row["key"], row["column_name"]


def _cell(row: Row) -> Cell:
    details = row["details"] or {}
    return Cell(
        table=row["table_name"],
        key=row["key"],
        column=row["column_name"],
        value=row["value"],
        kind=details.get("kind", ""),
        description=details.get("description"),
        formula=details.get("formula") or [],
    )


def _source(row: Row, cells: Mapping[tuple[int, str, str, str], Cell]) -> dict[str, Any]:
    source = {name: row[name] for name in SOURCE_FIELDS if row[name] is not None}
    if row["payload_text"] is not None:
        source["payload"] = row["payload_text"]
    if row["part"] == "mart":
        table = row["relation"].partition(".")[2]
        below = cells.get((row["step"] + 1, table, row["source_key"], row["source_column"]))
        if below:
            source["cell"] = below
    return source


def _check(connection: Connection, table: str, key: str, column: str | None) -> None:
    """Refuse what is not there, saying what is."""
    tables = _names(connection, "select table_name from ops.explained_tables where is_published")
    if table not in tables:
        raise ExplanationError(f"There is no published table {table!r}. {_nearest(table, tables)}")
    columns = _names(
        connection, "select column_name from ops.explained_columns where table_name = %s", table
    )
    if column is not None and column not in columns:
        raise ExplanationError(f"{table} has no column {column!r}. {_nearest(column, columns)}")
    live = connection.execute("select slot from ops.publications where is_live").fetchone()
    if live is None:
        raise ExplanationError("Nothing is published yet. Run `concord run` first.")
    there = connection.execute(
        "select ops.has_explained_row(%s, %s, %s)", (table, key, live[0])
    ).fetchone()
    if not (there and there[0]):
        raise ExplanationError(_no_such_row(connection, table, key))


def _names(connection: Connection, query: str, *values: str) -> list[str]:
    return sorted(name for (name,) in connection.execute(query.encode(), values))


def _nearest(name: str, known: Sequence[str]) -> str:
    if close := get_close_matches(name, known, n=_EXAMPLES, cutoff=0.5):
        return f"Nearest: {', '.join(close)}."
    return f"There are: {', '.join(known)}."


def _no_such_row(connection: Connection, table: str, key: str) -> str:
    row = connection.execute(
        "select key_columns from ops.explained_tables where table_name = %s", (table,)
    ).fetchone()
    columns = list(row[0]) if row else []
    text = f"{table} has no row {key!r}; its key is {'|'.join(columns)}."
    if close := _like(connection, table, columns, f"%{_escaped(key)}%"):
        return f"{text} Nearest: {', '.join(close)}."
    return f"{text} Keys look like this: {', '.join(_like(connection, table, columns, '%'))}."


def _like(connection: Connection, table: str, columns: Sequence[str], pattern: str) -> list[str]:
    key = sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    query = sql.SQL("select {} as key from {} where {} like %s order by 1 limit {}").format(
        key, sql.Identifier("marts", table), key, sql.Literal(_EXAMPLES)
    )
    return [name for (name,) in connection.execute(query, (pattern,))]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
