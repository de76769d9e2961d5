"""The columns of a batch and the types their values look like, from a bounded sample."""

import json
import re
from itertools import islice

from flows.sources.contract import Lines

SAMPLE_LINES = 500
_LONGEST_LINE = 100_000
_LOOKS = {
    "number as text": re.compile(r"\s*[+-]?(\d+([.,]\d+)*|[.]\d+)([eE][+-]?\d+)?\s*"),
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "timestamp": re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*"),
    "boolean as text": re.compile(r"true|false", re.IGNORECASE),
}
_JSON_TYPES = {bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


class Sample:
    """Looks at the first and last lines, and at one line of every block between."""

    def __init__(self) -> None:
        self.types: dict[str, set[str]] = {}
        self._is_first = True
        self._last = b""

    def see(self, lines: Lines) -> None:
        """Take a block into account."""
        self._look(lines.content, SAMPLE_LINES if self._is_first else 1)
        self._is_first = False
        self._last = lines.content

    def finish(self) -> None:
        """Look at the last lines; forget them."""
        start = len(self._last)
        for _ in range(SAMPLE_LINES):
            start = self._last.rfind(b"\n", 0, max(start - 1, 0)) + 1
            if start == 0:
                break
        self._look(self._last[start:], SAMPLE_LINES)
        self._last = b""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns seen, in order of appearance."""
        return tuple(self.types)

    def _look(self, content: bytes, limit: int) -> None:
        start = 0
        for _ in range(limit):
            end = content.find(b"\n", start)
            end = len(content) if end < 0 else end
            if start >= end:
                return
            if end - start < _LONGEST_LINE:
                self._note(content[start:end])
            start = end + 1

    def _note(self, line: bytes) -> None:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return
        for name, value in row.items() if isinstance(row, dict) else ():
            if not name.isprintable():
                continue
            seen = self.types.setdefault(name, set())
            if value is not None:
                seen.add(_type_of(value))


def _type_of(value: object) -> str:
    if not isinstance(value, str):
        return _JSON_TYPES[type(value)]
    fitting = (name for name, look in _LOOKS.items() if look.fullmatch(value))
    return next(islice(fitting, 1), "text")
