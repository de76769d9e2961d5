"""Judges a query by the schema: which fields there are, and how a record's value is reached."""

from collections.abc import Callable
from datetime import date
from typing import Any, Protocol

from flows.sandbox.vendors.salesforce.errors import no_such_column, no_such_type
from flows.sandbox.vendors.salesforce.schema import Entity, Field
from flows.sandbox.vendors.salesforce.soql.conditions import (
    Getter,
    Test,
    Values,
    check_type,
    comparison,
    converted,
    in_range,
    invalid_field,
    membership,
)
from flows.sandbox.vendors.salesforce.soql.syntax import (
    Both,
    Comparison,
    Condition,
    Membership,
    Not,
    Path,
    Query,
)
from flows.sandbox.vendors.salesforce.soql.tokens import malformed, pointer
from flows.sandbox.vendors.salesforce.values import compound, day_range


class Records(Protocol):
    """What a query needs to know of the org."""

    def entity(self, name: str) -> Entity | None:
        """Return an object as the user sees it."""

    def values(self, entity: str, key: str) -> Values | None:
        """Return a record's values, or nothing when the user cannot see it."""

    def today(self) -> date:
        """Return the day."""


Inner = Callable[[Query], frozenset[Any]]


class Binder:
    """One query's text, its object, and the org that it is put to."""

    def __init__(self, text: str, entity: Entity, records: Records, inner: Inner) -> None:
        self.text = text
        self.entity = entity
        self._records = records
        self._inner = inner

    def field(self, path: Path) -> tuple[Field, Getter]:
        """Return the field at the end of a path and the way to its value."""
        names = path.names
        if len(names) > 1 and names[0].lower() == self.entity.name.lower():
            names = names[1:]
        return self._reach(path, self.entity, names)

    def _reach(self, path: Path, entity: Entity, names: tuple[str, ...]) -> tuple[Field, Getter]:
        if len(names) == 1:
            one = entity.find(names[0])
            if one is None:
                raise no_such_column(names[0], entity.name, pointer(self.text, path.place))
            if path.function and one.type not in ("date", "datetime"):
                message = f"{path.function} is not supported on fields of type {one.type}"
                raise invalid_field(self.text, path.place, message)
            return one, dated(path.function, getter(one))
        reference = entity.parent(names[0])
        parent = self._records.entity(reference.reference_to[-1]) if reference else None
        if reference is None or parent is None:
            message = (
                f"Didn't understand relationship '{names[0]}' in field path. If you are "
                "attempting to use a custom relationship, be sure to append the '__r' after the "
                "custom relationship name."
            )
            raise invalid_field(self.text, path.place, message)
        one, inner = self._reach(path, parent, names[1:])
        return one, self._through(reference.name, parent.name, inner)

    def _through(self, reference: str, parent: str, inner: Getter) -> Getter:
        def reached(values: Values) -> Any:  # noqa: ANN401
            above = self._records.values(parent, values.get(reference) or "")
            return inner(above) if above is not None else None

        return reached

    def test(self, condition: Condition | None) -> Test:
        """Return the test that a record must pass."""
        if condition is None:
            return lambda _: True
        if isinstance(condition, Both):
            return self._both(condition)
        if isinstance(condition, Not):
            inner = self.test(condition.condition)
            return lambda values: not inner(values)
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        return self._membership(condition)

    def _comparison(self, condition: Comparison) -> Test:
        one, get = self._filtered(condition.path)
        value = condition.value
        if value.kind != "named date":
            return comparison(self.text, one, get, condition.operator, value)
        check_type(self.text, one, value)
        days = day_range(value.value, self._records.today())
        if days is None:
            raise malformed(self.text, value.place, f"unexpected token: '{value.value}'")
        return in_range(one, get, condition.operator, days)

    def _both(self, condition: Both) -> Test:
        left, right = self.test(condition.left), self.test(condition.right)
        if condition.operator == "AND":
            return lambda values: left(values) and right(values)
        return lambda values: left(values) or right(values)

    def _filtered(self, path: Path) -> tuple[Field, Getter]:
        one, get = self.field(path)
        if not one.is_filterable:
            message = f"field '{one.name}' can not be filtered in a query call"
            raise invalid_field(self.text, path.place, message)
        return one, get

    def _membership(self, condition: Membership) -> Test:
        one, get = self._filtered(condition.path)
        if isinstance(condition.values, Query):
            return membership(one, get, condition.operator, self._inner(condition.values))
        for value in condition.values:
            check_type(self.text, one, value)
        wanted = frozenset(converted(one, value) for value in condition.values)
        return membership(one, get, condition.operator, wanted)

    def sortable(self, path: Path) -> Getter:
        """Return the way to a value to sort by."""
        one, get = self.field(path)
        if not one.is_filterable:
            message = f"field '{one.name}' can not be sorted in a query call"
            raise malformed(self.text, path.place, message)
        return get


PARTS: dict[str, Callable[[str], object]] = {
    "DAY_ONLY": lambda text: text[:10],
    "CALENDAR_YEAR": lambda text: int(text[:4]),
    "CALENDAR_MONTH": lambda text: int(text[5:7]),
    "DAY_IN_MONTH": lambda text: int(text[8:10]),
    "HOUR_IN_DAY": lambda text: int(text[11:13] or 0),
}


def dated(function: str | None, get: Getter) -> Getter:
    """Return the way to a part of a date."""
    if function is None:
        return get
    part = PARTS[function]
    return lambda values: part(found) if (found := get(values)) else None


def getter(one: Field) -> Getter:
    """Return the way to a field's value in a record."""
    name = one.name
    if one.type == "address":
        return lambda values: compound(values, name)
    if one.type == "boolean":
        return lambda values: values.get(name, False)
    return lambda values: values.get(name)


def entity_of(text: str, query: Query, records: Records) -> Entity:
    """Return the object that a query is about."""
    entity = records.entity(query.entity)
    if entity is None:
        raise no_such_type(query.entity, pointer(text, query.place))
    return entity
