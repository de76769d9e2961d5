"""Turns the conditions of a query into a test of one record."""

import re
from collections.abc import Callable
from datetime import date, datetime
from operator import ge, gt, le, lt
from typing import Any

from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.ids import is_id, long_id
from flows.sandbox.vendors.salesforce.schema import NUMBERS, TEXTS, Field
from flows.sandbox.vendors.salesforce.soql.syntax import Literal, Place
from flows.sandbox.vendors.salesforce.soql.tokens import pointer
from flows.sandbox.vendors.salesforce.values import moment_of, moment_text
from flows.sandbox.vendors.shared.replies import RefusalError

Values = dict[str, Any]
Getter = Callable[[Values], Any]
Test = Callable[[Values], bool]

ACCEPTED = {
    "datetime": ("dateTime", frozenset(("datetime", "named date"))),
    "date": ("date", frozenset(("date", "named date"))),
    "boolean": ("boolean", frozenset(("boolean",))),
}


def comparison(text: str, one: Field, get: Getter, operator: str, value: Literal) -> Test:
    """Return the test of one field against one value, or refuse the value's type."""
    check_type(text, one, value)
    if operator == "LIKE":
        if one.type not in TEXTS:
            raise invalid_operator(text, value.place, f"invalid operator on {one.type} field")
        return _like(get, value)
    wanted = converted(one, value)
    if one.type in TEXTS:
        return _compared(_folded(get), operator, wanted)
    if one.type == "boolean":
        return _compared(lambda values: bool(get(values)), operator, wanted)
    return _compared(get, operator, wanted)


def check_type(text: str, one: Field, value: Literal) -> None:
    """Refuse a value that is not of the field's type."""
    if value.kind == "null":
        return
    if one.type in ACCEPTED:
        expected, kinds = ACCEPTED[one.type]
    elif one.type in NUMBERS:
        expected, kinds = "int" if one.type == "int" else one.type, frozenset(("number",))
    else:
        expected, kinds = "string", frozenset(("string",))
    if value.kind not in kinds:
        raise wrong_type(text, one, expected, value)
    if one.type in ("id", "reference") and not is_id(value.value):
        raise invalid_operator(text, value.place, f"invalid ID field: {value.value}")


def wrong_type(text: str, one: Field, expected: str, value: Literal) -> RefusalError:
    """Return the refusal of a value of another type."""
    quotes = "" if value.kind != "string" else " and should not be enclosed in quotes"
    if expected == "string":
        quotes = " and should be enclosed in quotes"
    message = f"value of filter criterion for field '{one.name}' must be of type {expected}{quotes}"
    return invalid_field(text, value.place, message)


def invalid_field(text: str, place: Place, message: str) -> RefusalError:
    """Return the refusal of a query that misuses a field."""
    return refused(400, "INVALID_FIELD", pointer(text, place) + message)


def invalid_operator(text: str, place: Place, message: str) -> RefusalError:
    """Return the refusal of a comparison that the field's type does not allow."""
    return refused(400, "INVALID_QUERY_FILTER_OPERATOR", pointer(text, place) + message)


def converted(one: Field, value: Literal) -> Any:  # noqa: ANN401 - what a record may hold
    """Return a value as records hold it."""
    if value.kind == "null":
        return None
    if one.type == "datetime":
        return moment_text(moment_of(value.value))
    if one.type == "boolean":
        return value.value == "true"
    if one.type in NUMBERS:
        return float(value.value)
    if one.type in ("id", "reference"):
        return long_id(value.value)
    return value.value.casefold() if one.type in TEXTS else value.value


def _folded(get: Getter) -> Getter:
    """Compare texts as the vendor does, without regard to case."""

    def folded(values: Values) -> str | None:
        value = get(values)
        return value.casefold() if value is not None else None

    return folded


ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _compared(get: Getter, operator: str, wanted: Any) -> Test:  # noqa: ANN401
    if operator == "=":
        return lambda values: bool(get(values) == wanted)
    if operator == "!=":
        return lambda values: bool(get(values) != wanted)
    if wanted is None:
        return lambda _: False
    holds = ORDER[operator]
    return lambda values: (value := get(values)) is not None and holds(value, wanted)


def _like(get: Getter, value: Literal) -> Test:
    parts = {"%": ".*", "_": "."}
    pattern = "".join(parts.get(letter, re.escape(letter)) for letter in value.value)
    fits = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda values: fits(str(get(values) or "")) is not None


def in_range(one: Field, get: Getter, operator: str, days: tuple[date, date]) -> Test:
    """Return the test of a field against the days that a named date stands for."""
    low, high = (_edge(one, day) for day in days)
    tests: dict[str, Test] = {
        "=": lambda values: bool(low <= (get(values) or "") < high),
        "!=": lambda values: not low <= (get(values) or "") < high,
        "<": lambda values: "" < (get(values) or "") < low,
        "<=": lambda values: "" < (get(values) or "") < high,
        ">": lambda values: bool((get(values) or "") >= high),
        ">=": lambda values: bool((get(values) or "") >= low),
    }
    return tests[operator]


def _edge(one: Field, day: date) -> str:
    if one.type == "date":
        return day.isoformat()
    return moment_text(datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def membership(one: Field, get: Getter, operator: str, wanted: frozenset[Any]) -> Test:
    """Return the test whether a field's value is, or is not, one of these."""
    read = _folded(get) if one.type in TEXTS else get
    if operator == "IN":
        return lambda values: read(values) in wanted
    if operator == "NOT IN":
        return lambda values: read(values) not in wanted
    has_any = operator == "INCLUDES"

    def picked(values: Values) -> bool:
        chosen = set(str(read(values) or "").split(";"))
        return any(set(one.split(";")) <= chosen for one in wanted) is has_any

    return picked
