"""CSV pages, as bulk interfaces give them out, into JSON objects, one a line.

An empty value is null; `NA`, `null` and the like are text, and numbers keep their spelling.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

import orjson

from flows.core.errors import TruncatedAnswerError
from flows.sources.contract import LONGEST_ROW

_NUL, _REPLACEMENT = "\0", "\ufffd"


@dataclass(frozen=True)
class CsvPage:
    """The records of one page, as values and as JSON."""

    columns: Sequence[str]
    records: Sequence[Sequence[str]]
    lines: bytes

    def values(self, column: str) -> list[str]:
        """Return one column's values, an absent one as the empty text."""
        position = self.columns.index(column)
        return [record[position] for record in self.records]


def csv_page(content: bytes, columns: Sequence[str] | None = None) -> CsvPage:
    """Convert a page; a character that Postgres cannot hold is replaced.

    Its first line is a header, unless the columns are known and it is not these.

    Raises TruncatedAnswerError when it does not end where a record ends.
    """
    text = content.decode("utf-8", "replace").replace(_NUL, _REPLACEMENT)
    csv.field_size_limit(LONGEST_ROW)
    try:
        records = list(csv.reader(StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise TruncatedAnswerError(f"a record of the page cannot be read ({error})") from error
    records = [record for record in records if record]
    if columns is None or records[:1] == [list(columns)]:
        columns, records = (records[0], records[1:]) if records else ([], [])
    width = len(columns)
    if any(len(record) != width for record in records):
        raise TruncatedAnswerError(f"a record of the page has not the {width} values it should")
    lines = [
        orjson.dumps(dict(zip(columns, [value or None for value in record], strict=True)))
        for record in records
    ]
    return CsvPage(columns, records, b"".join([line + b"\n" for line in lines]))
