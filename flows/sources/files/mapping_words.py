"""The words of an SQL expression: which file columns it names, and which functions."""

import re

from flows.sources.files.mapping import Expression

# Not a column of any file: which of several rows of a file that are the same, from 1.
COPY = "#copy"
_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | collate\s+"(?:[^"]|"")+" | "((?:[^"]|"")+)" | ([a-z_]\w*)""",
    re.IGNORECASE | re.VERBOSE,
)


def quoted_names(text: str) -> tuple[str, ...]:
    """Return the file columns an SQL expression names: everything in double quotes."""
    found = (match[1] for match in _TOKENS.finditer(text) if match[1])
    return tuple(dict.fromkeys(name.replace('""', '"') for name in found))


def bare_words(text: str) -> set[str]:
    """Return the unquoted words of an SQL expression, in lower case."""
    return {match[2].lower() for match in _TOKENS.finditer(text) if match[2]}


def names_used(expression: Expression | None) -> tuple[str, ...]:
    """Return the file columns that an expression reads."""
    if expression is None or expression.kind == "constant":
        return ()
    return (expression.text,) if expression.kind == "column" else quoted_names(expression.text)
