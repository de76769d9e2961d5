"""The rows of a JSON page, cut out as they were sent: spelling of numbers and order of keys stay.

The page is read once by a fast parser, for its keys and its links, and cut at the boundaries of
its rows by one replacement over the bytes. Where the two disagree on the number of rows (rows
within rows, white space between them) it is cut exactly, row by row.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from flows.core.errors import TruncatedAnswerError
from flows.sources.http.answers import Answer

_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_REPLACEMENT = rb"\ufffd"
_PAIR_LENGTH = len(rb"\ud83d\ude00")


@dataclass(frozen=True)
class JsonPage:
    """One page: everything about it, its rows as values and as the bytes that were sent."""

    envelope: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    lines: bytes  # one JSON object a line, in the order of `rows`


def json_page(answer: Answer, member: str) -> JsonPage:
    """Read a page whose rows are the array `member` of an object.

    Raises TruncatedAnswerError when it is no complete JSON, or has no such array.
    """
    content = answer.content.removeprefix(BOM_UTF8)
    envelope = _loaded(content)
    rows = envelope.get(member) if isinstance(envelope, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TruncatedAnswerError(f"the page has no list {member!r}: {answer.excerpt()}")
    lines = _cut_at_once(content, member, rows)
    if lines is None:
        lines = _cut_exactly(content, member)
    return JsonPage(envelope, rows, storable(lines))


def storable(lines: bytes) -> bytes:
    """Put the replacement character where an escape names none that Postgres could hold."""
    if b"\\u" not in lines:
        return lines
    return _ESCAPE.sub(_or_replacement, lines)


def _or_replacement(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return found if found == rb"\\" or len(found) == _PAIR_LENGTH else _REPLACEMENT


def _loaded(content: bytes) -> Any:  # noqa: ANN401 - whatever the server sent
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(content, parse_constant=str)  # it takes NaN and lone surrogates
    except ValueError as error:
        raise TruncatedAnswerError(f"the page is no complete JSON ({error})") from error


def _cut_at_once(content: bytes, member: str, rows: Sequence[Mapping[str, Any]]) -> bytes | None:
    """Cut at `},{"first key":`, which no text can hold because its quotes would be escaped."""
    if not rows:
        return b""
    start = content.find(b'"%b":[{' % member.encode())
    if start < 0 or not rows[0] or b"\n" in content:
        return None
    start += len(member) + 4
    key = b'{"%b":' % next(iter(rows[0])).encode()
    end = content.rfind(b"}]") + 1
    inner = content[start:end]
    if not inner.startswith(key) or b"NaN" in inner or b"Infinity" in inner:
        return None
    lines = inner.replace(b"}," + key, b"}\n" + key)
    if lines.count(b"\n") + 1 != len(rows) or not _is(lines[lines.rfind(b"\n") + 1 :], rows[-1]):
        return None
    return lines + b"\n"


def _is(line: bytes, row: Mapping[str, Any]) -> bool:
    try:
        return bool(orjson.loads(line) == row)
    except orjson.JSONDecodeError:
        return False


def _cut_exactly(content: bytes, member: str) -> bytes:
    """Let the parser say where each row ends; what is no JSON (NaN) becomes text."""
    text = content.decode("utf-8", "replace")
    decoder = json.JSONDecoder(parse_constant=str)
    position = _start_of(text, member, decoder)
    lines: list[str] = []
    while True:
        position = _skip(text, position, ",")
        if text[position] == "]":
            break
        row, end = decoder.raw_decode(text, position)
        line = text[position:end]
        if "NaN" in line or "Infinity" in line:
            line = json.dumps(row, ensure_ascii=False)
        lines.append(line.replace("\n", " ").replace("\r", " "))
        position = end
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _start_of(text: str, member: str, decoder: json.JSONDecoder) -> int:
    """Return where the array of a member of the outermost object begins."""
    position = _skip(text, 0, "{")
    while True:
        name, position = decoder.raw_decode(text, _skip(text, position, ","))
        position = _skip(text, position, ":")
        if name == member:
            return _skip(text, position, "[")
        _, position = decoder.raw_decode(text, position)


def _skip(text: str, position: int, sign: str) -> int:
    """Return the position after white space and at most one such sign."""
    while text[position].isspace():
        position += 1
    if text[position] == sign:
        position += 1
        while text[position].isspace():
            position += 1
    return position
