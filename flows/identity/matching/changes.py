"""Which records have to be scored again, worked out in the warehouse."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from psycopg import Connection, sql

from flows.identity.matching.domains import LONGEST_TERM, Domain, Features

RARE_RECORDS = 2  # so many may hold a rare value: one company, once in each of two systems
MOST_PAIRS_OF_GROUPS = 100  # identical records beyond it are linked through their first


@dataclass(frozen=True)
class Scope:
    """One run over one domain, as its SQL scripts need it."""

    connection: Connection
    domain: Domain
    features: Features
    version: int
    since: int | None
    largest_block: int

    @property
    def is_full(self) -> bool:
        """Whether everything is scored, whatever was scored before."""
        return self.since is None

    def run(self, script: str) -> None:
        """Run one SQL script with this run's names and values in it."""
        text = (files("flows.identity.matching") / "sql" / f"{script}.sql").read_text("utf-8")
        self.connection.execute(sql.SQL(text).format(**self._names()))

    def count(self, table: str) -> int:
        """Return the number of rows of a table of this run."""
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _names(self) -> dict[str, sql.Composable]:
        return {
            "domain": sql.Literal(self.domain.name),
            "records": self.domain.records,
            "blocks": self.domain.blocks,
            "features": _row_text(self.features.columns),
            "terms": _terms(self.features),
            "is_full": sql.Literal(self.is_full),
            "since": sql.Literal(self.since or 0),
            "largest_block": sql.Literal(self.largest_block),
            "rare_records": sql.Literal(RARE_RECORDS),
            "most_pairs_of_groups": sql.Literal(MOST_PAIRS_OF_GROUPS),
            "version": sql.Literal(self.version),
        }


def note_changes(scope: Scope) -> int:
    """Find every group of records whose scores may differ now, and return how many."""
    if scope.is_full:
        scope.run("forget_records")
    for script in ("note_changes", "count_terms"):
        scope.run(script)
    if not scope.is_full:
        scope.run("note_term_holders")
    for script in ("watch_blocks", "size_blocks", "refuse_blocks"):
        scope.run(script)
    if not scope.is_full and scope.count("turned_blocks"):
        scope.run("note_block_members")
        scope.run("watch_blocks")
    scope.run("gather_groups")
    return scope.count("affected_features")


def _row_text(columns: Iterable[str]) -> sql.Composable:
    named = sql.SQL(", ").join(sql.Identifier("records", column) for column in columns)
    return sql.SQL("row({})::text").format(named)


def _terms(features: Features) -> sql.Composable:
    """Compose the list of column=value whose frequencies count."""
    lists = [_list_terms(column) for column in features.list_weighed()]
    scalars = sql.SQL(", ").join(_scalar_term(column) for column in features.scalar_weighed())
    every = [sql.SQL("array_remove(array[{}]::text[], null)").format(scalars), *lists]
    return sql.SQL(" || ").join(every)


def _scalar_term(column: str) -> sql.Composable:
    return sql.SQL("left({} || {}, {})").format(
        sql.Literal(f"{column}="), sql.Identifier("records", column), sql.Literal(LONGEST_TERM)
    )


def _list_terms(column: str) -> sql.Composable:
    # Most lists hold one value, and need not be taken apart.
    return sql.SQL(
        "case when cardinality({held}) > 1 "
        "then array(select distinct left({name} || element, {longest}) "
        "from unnest({held}) as held (element) where element is not null) "
        "else array_remove(array[left({name} || {held}[1], {longest})], null) end"
    ).format(
        name=sql.Literal(f"{column}="),
        longest=sql.Literal(LONGEST_TERM),
        held=sql.Identifier("records", column),
    )
