"""CSV pages, as bulk interfaces give them out, into JSON objects, one a line.

An empty value is null; `NA`, `null` and the like are text, and numbers keep their spelling.
"""

import csv
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import chain

import orjson

from flows.core.errors import TruncatedAnswerError
from flows.sources.contract import LONGEST_ROW

_NUL, _REPLACEMENT = b"\0", "\ufffd".encode()


@dataclass(frozen=True)
class CsvPage:
    """The records of one page as JSON, and the values of those columns that were asked for."""

    columns: Sequence[str]
    count: int
    lines: bytes
    values: Mapping[str, Sequence[str]]


def csv_page(
    content: bytes, columns: Sequence[str] | None = None, keep: Collection[str] = ()
) -> CsvPage:
    """Convert a page; a character that Postgres cannot hold is replaced.

    Its first line is a header, unless the columns are known and it is not these. Records become
    JSON one by one, so that a page takes little more memory than its bytes.
    Raises TruncatedAnswerError when it does not end where a record ends.
    """
    records = _records(content.removeprefix(BOM_UTF8).replace(_NUL, _REPLACEMENT))
    first = next(records, None)
    if first is None:
        return CsvPage((), 0, b"", {})
    if columns is None or first == list(columns):
        columns = first
    else:
        records = chain([first], records)
    positions = {name: columns.index(name) for name in keep if name in columns}
    kept: dict[str, list[str]] = {name: [] for name in positions}
    lines: list[bytes] = []
    for record in records:
        lines.append(_as_json(columns, record))
        for name, position in positions.items():
            kept[name].append(record[position])
    return CsvPage(columns, len(lines), b"".join(lines), kept)


def _records(content: bytes) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_ROW)
    # An empty newline leaves line ends within values as they are.
    text = TextIOWrapper(BytesIO(content), "utf-8", "replace", newline="")
    try:
        yield from filter(None, csv.reader(text, strict=True))
    except csv.Error as error:
        raise TruncatedAnswerError(f"a record of the page cannot be read ({error})") from error


def _as_json(columns: Sequence[str], record: Sequence[str]) -> bytes:
    if len(record) != len(columns):
        raise TruncatedAnswerError(
            f"a record of the page has {len(record)} of the {len(columns)} values it should have"
        )
    values = [value or None for value in record]
    return orjson.dumps(dict(zip(columns, values, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
