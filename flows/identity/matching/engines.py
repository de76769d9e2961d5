"""Where pairs are made and scored: DuckDB in process, or Spark where the settings say so."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flows.sources.connections import identity_engine

if TYPE_CHECKING:
    from splink.internals.database_api import DatabaseAPISubClass


class Engine(Protocol):
    """Where pairs are made and scored."""

    @property
    def dialect(self) -> str:
        """Splink's name of the engine's SQL."""

    def load(self, table: str, file: Path, columns: Mapping[str, str]) -> None:
        """Read a CSV file of Postgres into a table."""

    def execute(self, statement: str) -> None:
        """Run one statement."""

    def count(self, query: str) -> int:
        """Return the one number that a query gives."""

    def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns."""

    def element_frequencies(self, column: str, population: int) -> str:
        """Return a query for the frequencies of a list's elements in order, and the rare ones."""

    def mask(self, column: str, /) -> str | None:
        """Return SQL for a list as bits, one set by each value, where the engine is quick at it."""

    def api(self) -> "DatabaseAPISubClass":
        """Return Splink's way to this engine."""

    def write(self, query: str, file: Path) -> Sequence[Path]:
        """Write a query's rows as CSV and return the files."""

    def close(self) -> None:
        """Let go of everything."""


def open_engine(folder: Path) -> Engine:
    """Open the engine that connections.yaml names; raises SettingsError when it cannot run."""
    if identity_engine() == "spark":
        from flows.identity.matching.spark import SparkEngine  # noqa: PLC0415 - optional

        return SparkEngine(folder)
    from flows.identity.matching.duck import DuckEngine  # noqa: PLC0415 - only scoring needs it

    return DuckEngine(folder)
