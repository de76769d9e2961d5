"""Secrets stay out of everything that people or tables get to see."""

import re
from collections.abc import Iterable

HIDDEN = "***"
SHORTEST = 6  # a shorter text would be found in half of all messages
_ALWAYS = re.compile(
    r"(?i)(bearer\s+|\b(?:access_token|refresh_token|client_secret|assertion|password|sid)"
    r"\b[\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;}]+)"
)


class Secrets:
    """The secrets of one connection, so that they can be taken out of texts."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Keep a secret, such as a new token, out of all texts from now on."""
        if len(value) >= SHORTEST:
            self._values.add(value)

    def hide(self, text: str) -> str:
        """Return the text without secrets: those known, and what looks like one."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return _ALWAYS.sub(rf"\g<1>{HIDDEN}", text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._values)} hidden)"
