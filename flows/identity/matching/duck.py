"""Matching in process, on DuckDB."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.core.errors import MatchingError
from flows.identity.matching.domains import LONGEST_TERM, SEPARATOR

if TYPE_CHECKING:
    from splink.internals.database_api import DatabaseAPISubClass

MEMORY_LIMIT = "2GB"  # beyond it DuckDB goes on on disk
TYPES = {"integer": "integer", "bigint": "bigint", "boolean": "boolean"}


class DuckEngine:
    """A DuckDB of its own, which forgets everything when it is closed."""

    dialect = "duckdb"

    def __init__(self, folder: Path) -> None:
        import duckdb  # noqa: PLC0415 - only scoring needs it

        self.folder = folder
        self.connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(folder / "spill"),
                "preserve_insertion_order": "false",
                # Nothing may be fetched while a run is on.
                "autoinstall_known_extensions": "false",
            }
        )
        self.connection.execute("set enable_progress_bar = false")

    def load(self, table: str, file: Path, columns: Mapping[str, str]) -> None:
        """Read a CSV file of Postgres into a table; lists come as text between separators."""
        read = ", ".join(
            f"'{name}': '{TYPES.get(kind, 'varchar')}'" for name, kind in columns.items()
        )
        chosen = ", ".join(_chosen(name, kind) for name, kind in columns.items())
        self.execute(
            f"create table {table} as select {chosen} from read_csv('{_quoted(file)}', "
            f"columns = {{{read}}}, header = false, auto_detect = false, delim = ',', "
            "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
            "max_line_size = 100000000)"
        )

    def execute(self, statement: str) -> None:
        """Run one statement; a table made again replaces the one before."""
        self.connection.execute(statement.replace("create table", "create or replace table", 1))

    def count(self, query: str) -> int:
        """Return the one number that a query gives."""
        row = self.connection.execute(query).fetchone()
        if row is None:
            raise MatchingError(f"{query!r} gave no row.")
        return int(row[0] or 0)

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""
        return [str(row[0]) for row in self.connection.execute(f"describe {table}").fetchall()]

    def element_frequencies(self, column: str, population: int) -> str:
        """Return a query for the frequencies of a list's elements in order, and the rare ones."""
        return (
            "select held.group_number, "
            f"list(power(2.0, coalesce(terms.bucket, 1) - {population}) order by held.place) "
            f"as tf_{column}, list(held.element) filter "
            f"(where coalesce(terms.is_rare, true)) as rare_{column} "
            f"from (select group_number, unnest({column}) as element, "
            f"generate_subscripts({column}, 1) as place from groups) as held left join terms "
            f"on terms.term = substring('{column}=' || held.element, 1, {LONGEST_TERM}) "
            "group by held.group_number"
        )

    @staticmethod
    def mask(column: str) -> str:
        """Return SQL for a list as bits, one set by each value."""
        bits = f"list_transform({column}, one -> 1::ubigint << (hash(one) % 64))"
        return f"list_aggregate({bits}, 'bit_or')"

    def api(self) -> "DatabaseAPISubClass":
        """Return Splink's way to this engine."""
        from splink import DuckDBAPI  # noqa: PLC0415 - slow to import

        return DuckDBAPI(self.connection)

    def write(self, query: str, file: Path) -> Sequence[Path]:
        """Write a query's rows as CSV and return the files."""
        written = file.with_suffix(".csv")
        self.execute(f"copy ({query}) to '{_quoted(written)}' (format csv, header false)")
        return [written]

    def close(self) -> None:
        """Let go of everything."""
        self.connection.close()


def _chosen(name: str, kind: str) -> str:
    return f"string_split({name}, '{SEPARATOR}') as {name}" if kind == "list" else name


def _quoted(file: Path) -> str:
    return str(file).replace("'", "''")
