"""$filter: read, judged by the properties, and turned into a test of one record."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from flows.sandbox.vendors.business_central.errors import bad_request, no_property
from flows.sandbox.vendors.business_central.schema import EntitySet, Property
from flows.sandbox.vendors.business_central.tenant import Values, stamp_text
from flows.sandbox.vendors.shared.keys import is_guid

Test = Callable[[Values], bool]
IGNORED = re.compile(r"\w+/(any|all)\(|\bin\s*\(")
TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')
    |(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<symbol>[(),]))""",
    re.VERBOSE,
)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
KINDS = {
    "guid": ("guid", "string"),
    "string": ("string",),
    "enum": ("string",),
    "date": ("date",),
    "datetime": ("datetime",),
    "decimal": ("number",),
    "int": ("number",),
    "boolean": ("word",),
}


@dataclass(frozen=True)
class Token:
    """One word of a filter."""

    kind: str
    text: str


def filter_test(text: str, entity: EntitySet) -> Test:
    """Return the test that a filter is.

    A filter over the lines of a document, or with a list of values, is passed over in silence,
    as the vendor does it.
    """
    if not text or IGNORED.search(text):
        return lambda _: True
    reader = _Reader(text, entity)
    test, _ = reader.either()
    reader.end()
    return test


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = TOKEN.match(stripped, position)
        if match is None:
            message = f"Syntax error at position {position} in '{text}'."
            raise bad_request(message, "BadRequest_NotFound")
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind]))
        position = match.end()
    return [*found, Token("end", "")]


class _Reader:
    """Walks over the words of one filter; every part knows which properties it asks for."""

    def __init__(self, text: str, entity: EntitySet) -> None:
        self._text = text
        self._entity = entity
        self._tokens = _tokens(text)
        self._position = 0

    def _next(self) -> Token:
        token = self._tokens[self._position]
        self._position += token.kind != "end"
        return token

    def _peek(self) -> str:
        return self._tokens[self._position].text

    def _expect(self, text: str) -> None:
        if self._next().text != text:
            message = f"')' or operator expected at position {self._position} in '{self._text}'."
            raise bad_request(message, "BadRequest_NotFound")

    def end(self) -> None:
        self._expect("")

    def either(self) -> tuple[Test, set[str]]:
        test, names = self.both()
        while self._peek() == "or":
            self._next()
            other, more = self.both()
            if len(names | more) > 1:
                message = (
                    "The 'OR' operator is not supported on distinct fields on an OData filter."
                )
                raise bad_request(message, "BadRequest_MethodNotImplemented")
            test = _any_of(test, other)
        return test, names

    def both(self) -> tuple[Test, set[str]]:
        test, names = self.single()
        while self._peek() == "and":
            self._next()
            other, more = self.single()
            test, names = _all_of(test, other), names | more
        return test, names

    def single(self) -> tuple[Test, set[str]]:
        token = self._next()
        if token.text == "not":
            test, names = self.single()
            return (lambda values: not test(values)), names
        if token.text == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if token.text in FUNCTIONS:
            return self._function(token.text)
        return self._comparison(token)

    def _property(self, token: Token) -> Property:
        if token.kind != "word":
            message = f"Expression expected at position {self._position} in '{self._text}'."
            raise bad_request(message, "BadRequest_NotFound")
        if token.text not in self._entity.properties:
            raise no_property(token.text, self._entity.kind)
        return self._entity.properties[token.text]

    def _function(self, name: str) -> tuple[Test, set[str]]:
        self._expect("(")
        one = self._property(self._next())
        self._expect(",")
        part = self._value(one, self._next())
        self._expect(")")
        holds = FUNCTIONS[name]
        return (lambda values: holds(str(values.get(one.name, "")), str(part))), {one.name}

    def _comparison(self, token: Token) -> tuple[Test, set[str]]:
        one = self._property(token)
        operator = self._next().text
        if operator not in COMPARED:
            message = f"Syntax error: operator expected near '{operator}' in '{self._text}'."
            raise bad_request(message, "BadRequest_NotFound")
        wanted = self._value(one, self._next())
        holds, empty = COMPARED[operator], _stored_empty(one)
        return (lambda values: holds(values.get(one.name, empty), wanted)), {one.name}

    def _value(self, one: Property, token: Token) -> Any:  # noqa: ANN401 - of the property's type
        if token.kind not in KINDS[one.type]:
            message = (
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{one.type}' and '{token.kind}'."
            )
            raise bad_request(message)
        return _converted(one, token)


def _any_of(left: Test, right: Test) -> Test:
    return lambda values: left(values) or right(values)


def _all_of(left: Test, right: Test) -> Test:
    return lambda values: left(values) and right(values)


def _stored_empty(one: Property) -> Any:  # noqa: ANN401 - of the property's type
    return "0001-01-01T00:00:00.000Z" if one.type == "datetime" else one.empty


def _converted(one: Property, token: Token) -> Any:  # noqa: ANN401 - of the property's type
    text = token.text
    if token.kind == "string":
        text = text[1:-1].replace("''", "'")
    if one.type == "guid":
        if not is_guid(text):
            message = "Invalid format of GUID string."
            raise bad_request(message, "Application_InvalidGUID")
        return text.lower()
    if one.type == "datetime":
        return stamp_text(datetime.fromisoformat(text).astimezone(UTC))
    if one.type in ("decimal", "int"):
        return float(text)
    if one.type == "boolean":
        return text == "true"
    if "code" in one.flags and len(text) > one.length:
        message = (
            f"The filter \"='{text}'\" is not valid for the {one.name} field. The length of the "
            f"string is {len(text)}, but it must be less than or equal to {one.length} "
            f"characters. Value: {text}"
        )
        raise bad_request(message, "Application_FilterErrorException")
    return text.upper() if "code" in one.flags else text
