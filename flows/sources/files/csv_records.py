"""CSV into JSON objects: whole blocks at once where nothing needs care, else record by record.

Every value becomes a JSON string, an empty field null. A record that is not strictly RFC 4180 is
rejected alone, and reading goes on with the next line.
"""

import json
from collections.abc import Iterator
from operator import methodcaller

from flows.core.errors import SourceFileError
from flows.sources.contract import Chunk, Lines, Reject
from flows.sources.files.blocks import Block, LineBlocks
from flows.sources.files.csv_fields import CsvDialect
from flows.sources.files.format import FileFormat
from flows.sources.files.json_lines import EMPTY
from flows.sources.files.stream import Readable
from flows.sources.files.text import is_utf8

LONGEST_JOINED_RECORD = 1024 * 1024
_END_OF_OBJECT = b'"}\n'


class CsvRecords:
    """The records of one CSV file."""

    def __init__(self, stream: Readable, form: FileFormat) -> None:
        self._blocks = LineBlocks(stream)
        self._format = form
        self._dialect = CsvDialect(form.delimiter.encode())
        self._lines_apart_from_records = 0
        self._open = b""  # a record whose quoted field may close in the next block
        self._open_line = 1
        self.columns: tuple[str, ...] | None = None
        if form.header:
            self._set_columns(form.header)

    @property
    def record_count(self) -> int:
        """How many records there were, counted on the bytes."""
        return self._blocks.line_count - self._lines_apart_from_records

    def chunks(self) -> Iterator[Chunk]:
        """Yield records as JSON lines; raises SourceFileError for an empty file or bad header."""
        for piece in self._blocks.read():
            if isinstance(piece, Block):
                yield from self._block(piece)
            else:
                self._require_header()
                yield from self._close()
                yield piece
        if self._blocks.is_empty:
            raise SourceFileError(EMPTY)
        self._require_header()

    def _block(self, block: Block) -> Iterator[Chunk]:
        content, line = block.content, block.first_line
        if self.columns is None:
            content, line = self._read_header(content, line)
        if self._open:
            content, line = self._open + content, self._open_line
            self._open = b""
        if content and self.columns is not None:
            yield from self._convert(content, line, is_last=block.is_last)

    def _close(self) -> Iterator[Chunk]:
        """Judge an unfinished record by what there is of it."""
        content, self._open = self._open, b""
        if content:
            yield from self._convert(content, self._open_line, is_last=True)

    def _convert(self, content: bytes, line: int, *, is_last: bool) -> Iterator[Chunk]:
        fast = self._fast(content)
        if fast is not None:
            yield Lines(fast, line, "certain")
        else:
            yield from self._exact(content, line, is_last=is_last)

    def _fast(self, content: bytes) -> bytes | None:
        """Convert a block without quotes, escapes or faults by a few operations on the whole."""
        if b"\r" in content:
            content = content.replace(b"\r\n", b"\n")
        dialect, width = self._dialect, len(self._keys)
        if not self._has_plain_header or dialect.needs_care(content) or not is_utf8(content):
            return None
        content = content.removesuffix(b"\n")
        lines = content.split(b"\n")
        if set(map(self._count_delimiters, lines)) != {width - 1}:
            return None
        pieces = [b""] * (2 * width * len(lines))
        pieces[0::2] = self._keys * len(lines)
        pieces[1::2] = content.replace(b"\n", dialect.delimiter).split(dialect.delimiter)
        pieces[0] = pieces[0].removeprefix(_END_OF_OBJECT)
        pieces.append(_END_OF_OBJECT)
        # No name or value holds two quotes in a row, so they are an empty value.
        return b"".join(pieces).replace(b'""', b"null")

    def _exact(self, content: bytes, line: int, *, is_last: bool) -> Iterator[Chunk]:
        converted: list[bytes] = []
        first_line, position = line, 0
        is_readable = b"\0" not in content and is_utf8(content)
        while position < len(content):
            match = self._record.match(content, position)
            if end := _end_of_blank_line(content, position):
                self._lines_apart_from_records += 1
            elif match:
                end = match.end()
                fault = None if is_readable else self._fault(match.group())
                if fault:
                    yield Reject(line, fault, _without_line_end(match.group()))
                else:
                    converted.append(self._template % tuple(map(self._json_value, match.groups())))
                self._lines_apart_from_records += max(match.group().count(b"\n") - 1, 0)
            else:
                reason, is_open = self._dialect.fault(content, position, len(self._keys))
                if is_open and not is_last and len(content) - position < LONGEST_JOINED_RECORD:
                    self._open, self._open_line = content[position:], line
                    break
                end = content.find(b"\n", position) + 1 or len(content)
                yield Reject(line, reason, _without_line_end(content[position:end]))
            line += content.count(b"\n", position, end)
            position = end
        if converted:
            yield Lines(b"".join(converted), first_line, "certain")

    def _fault(self, record: bytes) -> str | None:
        """Say why Postgres could not store a well-formed record."""
        if b"\0" in record:
            return "the record holds a NUL byte, which Postgres cannot store"
        return None if is_utf8(record) else f"the record is not valid {self._format.encoding}"

    def _read_header(self, content: bytes, line: int) -> tuple[bytes, int]:
        """Take the first line that is not blank as the header; return what follows it."""
        while content and self.columns is None:
            header, _, content = content.partition(b"\n")
            line += 1
            self._lines_apart_from_records += 1
            if header.strip():
                self._set_columns(self._dialect.header(header, self._format.encoding))
        return content, line

    def _require_header(self) -> None:
        if self.columns is None:
            raise SourceFileError(
                "The file has no header. Deliver it again, the column names in its first line."
            )

    def _set_columns(self, columns: tuple[str, ...]) -> None:
        names = [json.dumps(name, ensure_ascii=False).encode() for name in columns]
        self.columns = columns
        self._keys = [b'",' + name + b':"' for name in names]
        self._keys[0] = _END_OF_OBJECT + b"{" + names[0] + b':"'
        self._has_plain_header = len(names) > 1 and not any(b'""' in name for name in names)
        self._json_value = self._dialect.json_value
        self._record = self._dialect.record(len(columns))
        self._template = b"{%b}\n" % b",".join(n.replace(b"%", b"%%") + b":%b" for n in names)
        self._count_delimiters = methodcaller("count", self._dialect.delimiter)


def _without_line_end(record: bytes) -> bytes:
    return record.removesuffix(b"\n").removesuffix(b"\r")


def _end_of_blank_line(content: bytes, position: int) -> int:
    """Return where a blank line that begins here ends, 0 when none does."""
    if content.startswith(b"\n", position):
        return position + 1
    return position + 2 if content.startswith(b"\r\n", position) else 0
