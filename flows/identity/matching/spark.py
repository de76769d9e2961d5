"""Matching on Spark, with the settings that DuckDB uses, for those who outgrow one machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.core.errors import MatchingError, SettingsError
from flows.identity.matching.domains import LONGEST_TERM, SEPARATOR

if TYPE_CHECKING:
    from splink.internals.database_api import DatabaseAPISubClass

TYPES = {"integer": "int", "bigint": "bigint", "boolean": "boolean"}


class SparkEngine:
    """A Spark session: the cluster's where one is configured, else on this machine."""

    dialect = "spark"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = _session(folder)

    def load(self, table: str, file: Path, columns: Mapping[str, str]) -> None:
        """Read a CSV file of Postgres into a table; lists come as text between separators."""
        schema = ", ".join(f"{name} string" for name in columns)
        rows = self.session.read.csv(
            str(file), schema=schema, quote='"', escape='"', nullValue=None, emptyValue="",
            multiLine=True, maxCharsPerColumn=-1,
        )  # fmt: skip
        chosen = [_chosen(name, kind) for name, kind in columns.items()]
        rows.selectExpr(*chosen).createOrReplaceTempView(table)

    def execute(self, statement: str) -> None:
        """Run one statement; a table that it creates is a view of this session, kept in memory."""
        create, table, query = statement.split(" ", 3)[1:]
        if create != "table":
            raise MatchingError(f"{statement!r} is no way to make a table.")
        rows = self.session.sql(query.removeprefix("as "))
        rows.cache()
        rows.createOrReplaceTempView(table)

    def count(self, query: str) -> int:
        """Return the one number that a query gives."""
        row = self.session.sql(query).first()
        return int(row[0] or 0) if row else 0

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""
        return list(self.session.table(table).columns)

    def element_frequencies(self, column: str, population: int) -> str:
        """Return a query for the frequencies of a list's elements, in order, and the rare ones."""
        return (
            "select group_number, "
            f"transform(held, one -> one.frequency) as tf_{column}, "
            f"nullif(transform(filter(held, one -> one.is_rare), one -> one.element), array()) "
            f"as rare_{column} from (select held.group_number, "
            "array_sort(collect_list(struct(held.place, held.element, "
            f"power(2.0D, coalesce(terms.bucket, 1) - {population}) as frequency, "
            "coalesce(terms.is_rare, true) as is_rare))) as held "
            f"from (select group_number, posexplode({column}) as (place, element) from groups) "
            "as held left join terms "
            f"on terms.term = substring('{column}=' || held.element, 1, {LONGEST_TERM}) "
            "group by held.group_number) as gathered"
        )

    @staticmethod
    def mask(_column: str, /) -> str | None:
        """Return nothing: lists are looked at themselves."""
        return None

    def api(self) -> "DatabaseAPISubClass":
        """Return Splink's way to this engine."""
        from splink import SparkAPI  # noqa: PLC0415 - optional

        return SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=self.session, break_lineage_method="persist"
        )

    def write(self, query: str, file: Path) -> Sequence[Path]:
        """Write a query's rows as CSV and return the files."""
        self.session.sql(query).write.csv(str(file), quote='"', escape='"', mode="overwrite")
        return sorted(file.glob("part-*"))

    def close(self) -> None:
        """Let go of everything."""
        self.session.stop()


def _chosen(name: str, kind: str) -> str:
    if kind == "list":
        return f"split({name}, '{SEPARATOR}') as {name}"
    if kind == "boolean":
        return f"{name} = 't' as {name}"
    return f"cast({name} as {TYPES[kind]}) as {name}" if kind in TYPES else name


def _session(folder: Path) -> Any:  # noqa: ANN401 - PySpark is optional, and has no stubs then
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - optional
        from splink.internals.spark.jar_location import similarity_jar_location  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "connections.yaml asks for `identity: {engine: spark}`, but PySpark is not installed. "
            "Install it with `pip install 'pyspark>=4'`, or take the engine duckdb."
        ) from error
    builder = SparkSession.builder.appName("concord identity").config(
        map={
            "spark.jars": similarity_jar_location(),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "8",
            "spark.sql.ansi.enabled": "false",
        }
    )
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise SettingsError(
            "connections.yaml asks for `identity: {engine: spark}`, but Spark does not start: "
            f"{str(error).splitlines()[0]} Spark 4 needs Java 17 or newer on the path or in "
            "JAVA_HOME; install it, or take the engine duckdb."
        ) from error
