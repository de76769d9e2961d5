"""One CSV dialect: the pattern of its records, its values as JSON, what is wrong with one."""

import re
from json.encoder import encode_basestring

from flows.core.errors import SourceFileError
from flows.sources.files.text import is_utf8

_QUOTED = rb'"(?:[^"]++|"")*+"'
_CONTROLS = bytes(code for code in range(32) if code != ord("\n"))


class CsvDialect:
    """What a delimiter makes of the bytes."""

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        # What JSON must escape or CSV may quote; a delimiter never reaches the JSON.
        self._careful = bytes(set(_CONTROLS + b'"\\') - set(delimiter))
        self._controls = bytes(set(_CONTROLS + b"\n"))
        self._plain = rb'[^"\r\n%b]*+' % re.escape(delimiter)
        self._quoted_field = re.compile(_QUOTED)
        self._plain_field = re.compile(self._plain)

    def needs_care(self, content: bytes) -> bool:
        """Tell whether a block holds anything but plain fields and line feeds."""
        return len(content.translate(None, self._careful)) != len(content)

    def record(self, width: int) -> re.Pattern[bytes]:
        """Return the pattern of one strict record with that many fields, each a group."""
        field = b"(" + _QUOTED + b"|" + self._plain + b")"
        fields = re.escape(self.delimiter).join([field] * width)
        return re.compile(fields + rb"(?:\r?\n|\r?\Z)")

    def json_value(self, field: bytes) -> bytes:
        """Return a field as a JSON string, an empty one as null."""
        if field.startswith(b'"'):
            field = field[1:-1].replace(b'""', b'"')
        if not field:
            return b"null"
        if b"\\" in field or b'"' in field or field.translate(None, self._controls) != field:
            return encode_basestring(field.decode()).encode()
        return b'"' + field + b'"'

    def fault(self, content: bytes, position: int, width: int) -> tuple[str, bool]:
        """Say why no strict record begins here, and whether a quoted field is still open."""
        count = 0
        while True:
            count += 1
            is_quoted = content.startswith(b'"', position)
            pattern = self._quoted_field if is_quoted else self._plain_field
            field = pattern.match(content, position)
            if field is None:
                return f"bad quoting: the quote that opens field {count} is never closed", True
            position = field.end()
            after = content[position : position + 1]
            if after == self.delimiter:
                position += 1
            elif after in (b"", b"\n") or content.startswith(b"\r\n", position):
                return _wrong_count(count, width), False
            else:
                return _wrong_character(count, after, is_quoted=is_quoted), False

    def header(self, line: bytes, encoding: str) -> tuple[str, ...]:
        """Return the column names; raises SourceFileError when they cannot be told apart."""
        line = line.removesuffix(b"\r")
        if b"\0" in line or not is_utf8(line):
            raise SourceFileError(
                f"The header is not valid {encoding}. Deliver the file in {encoding}, "
                "or name its encoding in a mapping file."
            )
        fields = self._header_fields(line)
        names = tuple(_unquoted(field).decode().strip() for field in fields)
        if "" in names:
            raise SourceFileError(
                f"Column {names.index('') + 1} of the header has no name. Name it."
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SourceFileError(
                f"The header names {', '.join(map(repr, twice))} more than once. "
                "Give every column a name of its own."
            )
        return names

    def _header_fields(self, line: bytes) -> list[bytes]:
        fields, position = [], 0
        while True:
            pattern = self._quoted_field if line.startswith(b'"', position) else self._plain_field
            field = pattern.match(line, position)
            if field is None or (rest := line[field.end() : field.end() + 1]) not in (
                b"",
                self.delimiter,
            ):
                raise SourceFileError("The header is badly quoted. Correct its first line.")
            fields.append(field.group())
            if not rest:
                return fields
            position = field.end() + 1


def _unquoted(field: bytes) -> bytes:
    return field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field


def _wrong_count(count: int, width: int) -> str:
    return f"wrong number of fields: {count} where the header has {width}"


def _wrong_character(count: int, after: bytes, *, is_quoted: bool) -> str:
    if after == b"\r":
        return f"a carriage return inside field {count}, which is not quoted"
    if is_quoted:
        return f"bad quoting: text after the closing quote of field {count}"
    return f"bad quoting: a quote inside field {count}, which does not begin with one"
