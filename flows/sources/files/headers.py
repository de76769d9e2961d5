"""The column names of a file, without reading the file."""

import csv
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from flows.sources.files.format import FileFormat

_JSON_LINES_LOOKED_AT = 200
_LONGEST_HEADER = 1_000_000


def header_of(path: Path, form: FileFormat) -> tuple[str, ...]:
    """Return a file's column names, without BOM and surrounding blanks.

    JSON Lines have none of their own: the names in the first lines count. Raises OSError,
    UnicodeError or ValueError when the beginning of the file cannot be read.
    """
    if form.kind == "parquet":
        return _parquet_columns(path)
    with _text(path, form) as lines:
        if form.kind == "jsonl":
            return _json_columns(lines)
        start = lines.readline(_LONGEST_HEADER)
        while start.count('"') % 2 and (more := lines.readline(_LONGEST_HEADER)):
            start += more  # a quoted name may hold a line break
    names = next(csv.reader([start.lstrip("\ufeff")], delimiter=form.delimiter), [])
    return tuple(name.strip() for name in names)


@contextmanager
def _text(path: Path, form: FileFormat) -> Iterator[TextIO]:
    opener = gzip.open if form.is_gzip else open
    with opener(path, "rt", encoding=form.encoding, newline="") as lines:
        yield lines


def _json_columns(lines: TextIO) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for line in islice(lines, _JSON_LINES_LOOKED_AT):
        if line.strip("\ufeff \r\n"):
            value = json.loads(line.lstrip("\ufeff"))
            names.update(dict.fromkeys(value if isinstance(value, dict) else ()))
    return tuple(names)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    import duckdb  # noqa: PLC0415 - only Parquet files need it

    with duckdb.connect() as engine:
        found = engine.execute("select name from parquet_schema(?)", [str(path)]).fetchall()
    return tuple(row[0] for row in found[1:])  # the first is the schema's root
