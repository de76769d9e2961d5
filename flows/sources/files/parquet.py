"""Parquet through DuckDB, a stretch of rows at a time, into JSON that keeps every value exact."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.core.errors import SourceFileError
from flows.sources.contract import Chunk, Lines
from flows.sources.files.text import looks_like_json_objects

ROWS_AT_ONCE = 2000
_MEMORY = "100MB"
_EXACT_AS_TEXT = re.compile(r"DECIMAL|(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)$|BOOLEAN")


class Parquet:
    """The rows of one Parquet file; a row's line number is its position, from 1."""

    def __init__(self, path: Path) -> None:
        import duckdb  # noqa: PLC0415 - only Parquet needs it

        self._error = duckdb.Error
        self._duckdb = duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1})
        self._duckdb.execute("set TimeZone = 'UTC'")
        self._path = str(path)
        self.record_count = 0
        self.columns: tuple[str, ...] | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows as JSON lines; raises SourceFileError for a file DuckDB cannot read."""
        try:
            yield from self._read()
        except self._error as error:
            reason = str(error).strip().splitlines()[0]
            raise SourceFileError(
                f"The Parquet file cannot be read ({reason}). Nothing of it was landed; "
                "deliver it again."
            ) from error
        finally:
            self._duckdb.close()

    def _read(self) -> Iterator[Chunk]:
        self.columns, types = self._describe()
        counted = self._query("select count(*) from read_parquet($file)").fetchone()
        self.record_count = int(counted[0]) if counted else 0
        members = zip(self.columns, types, strict=True)
        pairs = " || ',' || ".join(_member(name, kind) for name, kind in members)
        rows = self._query(f"select '{{' || {pairs} || '}}' from read_parquet($file)")
        line = 1
        while found := rows.fetchmany(ROWS_AT_ONCE):
            content = "".join(f"{row[0]}\n" for row in found).encode()
            is_likely = looks_like_json_objects(content)
            yield Lines(content, line, "likely" if is_likely else "doubtful")
            line += len(found)

    def _describe(self) -> tuple[tuple[str, ...], list[str]]:
        found = self._query("describe select * from read_parquet($file)").fetchall()
        return tuple(row[0] for row in found), [row[1] for row in found]

    def _query(self, statement: str) -> Any:  # noqa: ANN401 - DuckDB has no types
        return self._duckdb.execute(statement, {"file": self._path})


def _member(name: str, kind: str) -> str:
    """Return SQL for one member of the JSON object."""
    column = '"' + name.replace('"', '""') + '"'
    literal = name.replace("'", "''")
    key = f"to_json('{literal}'::varchar)::varchar"
    return f"{key} || ':' || case when {column} is null then 'null' else {_value(column, kind)} end"


def _value(column: str, kind: str) -> str:
    text = f"{column}::varchar"
    if _EXACT_AS_TEXT.match(kind):
        return text
    if kind in ("DOUBLE", "FLOAT"):
        return f"case when isfinite({column}) then {text} else to_json({text})::varchar end"
    if kind.startswith("TIMESTAMP"):
        return _timestamp(column, kind)
    if kind == "BLOB":
        return f"to_json(base64({column}))::varchar"
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f"to_json({column if is_nested else text})::varchar"


def _timestamp(column: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        # Only DuckDB's ICU extension knows time zones, and it may not be there.
        return _moment(f"make_timestamp(epoch_us({column}))", "+00:00")
    return _moment(f"{column}::timestamp", "")


def _moment(timestamp: str, offset: str) -> str:
    whole = f"strftime({timestamp}, '%Y-%m-%dT%H:%M:%S.%f')"
    return f"'\"' || replace({whole}, '.000000', '') || '{offset}\"'"
