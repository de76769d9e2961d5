"""The query that lists every row that fails an expectation, ready to be pasted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql


@dataclass(frozen=True)
class Table:
    """A table that a suite judges, and how many of its rows count."""

    schema: str
    name: str
    rows: int = 0

    @property
    def quoted(self) -> str:
        """The table's name as SQL."""
        return sql.Identifier(self.schema, self.name).as_string()


def listing_query(kind: str, kwargs: Mapping[str, Any], table: Table) -> str | None:
    """Return the listing query of an expectation; None for those about the table as a whole."""
    if kind == "unexpected_rows_expectation":
        return _unexpected_rows(str(kwargs["unexpected_rows_query"]), table)
    if kind == "expect_column_values_to_not_be_null":
        column = sql.Identifier(kwargs["column"]).as_string()
        return f"select * from {table.quoted} where {column} is null"
    if kind == "expect_column_values_to_be_unique":
        column = sql.Identifier(kwargs["column"]).as_string()
        return (
            f"select {column}, count(*) as row_count from {table.quoted} "
            f"group by {column} having count(*) > 1"
        )
    return None


def _unexpected_rows(query: str, table: Table) -> str:
    # Great Expectations gives the batch this alias unless the query joins and so names it itself.
    alias = "" if " join " in query.lower() else " as subselect"
    return query.format(batch=f"{table.quoted}{alias}")
