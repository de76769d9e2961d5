"""Lets Postgres compile the SQL of a mapping, over rows of the right types that do not exist."""

from dataclasses import replace

import psycopg
from psycopg import sql

from flows.core import canonical
from flows.sources.files.mapping import Expression, FileMapping, Lookup, Part, Problems
from flows.sources.files.mapping_sql import PartSelect, empty_relation, value_sql
from flows.sources.files.mapping_words import bare_words

_CHANGING = {
    *("now", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"),
    *("transaction_timestamp", "statement_timestamp"),
}
_VOLATILE = """
select proname from pg_proc where proname = any(%s) group by proname
having bool_and(provolatile = 'v')
"""


def check_sql(connection: psycopg.Connection, mapping: FileMapping, problems: Problems) -> None:
    """Report every expression that does not compile, reads other rows or changes with time."""
    for part in mapping.parts:
        _PartCheck(connection, mapping, part, problems).run()


class _PartCheck:
    def __init__(
        self, connection: psycopg.Connection, mapping: FileMapping, part: Part, problems: Problems
    ) -> None:
        self.connection = connection
        self.mapping = mapping
        self.part = part
        self.problems = problems

    def run(self) -> None:
        before = len(self.problems)
        for lookup in self.part.lookups:
            self._check_lookup(lookup)
        if len(self.problems) > before:
            return  # nothing that borrows from a broken lookup compiles
        for what, expression in self.part.expressions():
            if expression.kind == "sql":
                type_name = "text" if what.startswith("column") else "boolean"
                self._check(self.part, what, expression, type_name)
        if len(self.problems) == before:
            select = PartSelect(self.mapping, self.part, empty_relation)
            whole = select.rows(canonical.entity(self.part.entity), "check", "erp", 0)
            self._compile(whole, f"entity {self.part.entity!r}", self.part.line)

    def _check_lookup(self, lookup: Lookup) -> None:
        what = f"lookup {lookup.name!r} of entity {self.part.entity!r}"
        if lookup.where:
            # Alone, its condition sees the columns of the file that is looked up.
            alone = replace(self.part, file=lookup.file, lookups=())
            self._check(alone, f"'where' of {what}", lookup.where, "boolean")
        only = replace(self.part, columns={}, where=None, lookups=(replace(lookup, where=None),))
        source = PartSelect(self.mapping, only, empty_relation).source()
        self._compile(sql.SQL("select from {}").format(source), what, lookup.line)

    def _check(self, part: Part, what: str, expression: Expression, type_name: str) -> None:
        if not self._check_words(what, expression):
            return
        alone = replace(part, columns={"value": expression}, where=None)
        source = PartSelect(self.mapping, alone, empty_relation).source()
        query = sql.SQL("select cast(({}) as {}) from {}").format(
            value_sql(expression), sql.Identifier(type_name), source
        )
        if type_name == "boolean":
            query = sql.SQL("select from {} where ({})").format(source, value_sql(expression))
        self._compile(query, what, expression.line)

    def _check_words(self, what: str, expression: Expression) -> bool:
        words = bare_words(expression.text)
        if "select" in words:
            self.problems.report(
                expression.line,
                f"{what}: an expression reads one row and takes no 'select'; use 'lookups'.",
            )
            return False
        volatile = {row[0] for row in self.connection.execute(_VOLATILE, (list(words),))}
        changing = sorted(words & _CHANGING | volatile)
        for word in changing:
            self.problems.report(
                expression.line,
                f"{what}: {word!r} gives another value at another time, so that a rebuild would "
                "differ; use the file's columns only.",
            )
        return not changing

    def _compile(self, query: sql.Composable, what: str, line: int) -> None:
        try:
            with self.connection.transaction(force_rollback=True):
                # A prepared statement is one statement, so nothing can hide behind a ';'.
                self.connection.execute(sql.SQL("explain {}").format(query), prepare=True)
        except psycopg.Error as error:
            message = error.diag.message_primary or str(error).strip()
            if isinstance(error, psycopg.errors.UndefinedColumn):
                message += "; write the file's columns in double quotes, as in its header"
            self.problems.report(line, f"{what}: the SQL does not compile: {message}.")
