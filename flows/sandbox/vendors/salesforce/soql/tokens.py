"""The words of a query, each with its place."""

import re
from dataclasses import dataclass

from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.soql.syntax import Place
from flows.sandbox.vendors.shared.replies import RefusalError

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)
    |(?P<symbol><=|>=|!=|<>|[=<>(),:])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One word, what kind it is, and where it stands."""

    kind: str
    text: str
    place: Place

    @property
    def word(self) -> str:
        """The word in capitals, as keywords are compared."""
        return self.text.upper()


def tokens(text: str) -> list[Token]:
    """Cut a query into words; the last one is its end."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise malformed(text, place_of(text, position), f"unexpected token: '{text[position]}'")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], place_of(text, position)))
        position = match.end()
    return [*found, Token("end", "<EOF>", place_of(text, position))]


def place_of(text: str, position: int) -> Place:
    """Return row and column of a position."""
    before = text[:position]
    return Place(position, before.count("\n") + 1, position - before.rfind("\n"))


def pointer(text: str, place: Place) -> str:
    """Return the beginning of a message that shows where in the query the fault is."""
    start = max(0, place.position - 40)
    shown = text[start : place.position + 40].replace("\n", " ")
    mark = " " * (place.position - start) + "^"
    return f"\n{shown}\n{mark}\nERROR at Row:{place.row}:Column:{place.column}\n"


def malformed(text: str, place: Place, message: str) -> RefusalError:
    """Return the refusal of a query that cannot be read."""
    return refused(400, "MALFORMED_QUERY", pointer(text, place) + message)
