"""Sums, counts and groups."""

from collections.abc import Callable, Sequence
from typing import Any

from flows.sandbox.vendors.salesforce.soql.binding import Binder
from flows.sandbox.vendors.salesforce.soql.conditions import Getter, Values
from flows.sandbox.vendors.salesforce.soql.syntax import Aggregate, Path, Query
from flows.sandbox.vendors.salesforce.soql.tokens import malformed

FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda found: len(set(found)),
    "MIN": lambda found: min(found, default=None),
    "MAX": lambda found: max(found, default=None),
    "SUM": lambda found: sum(found) if found else None,
    "AVG": lambda found: sum(found) / len(found) if found else None,
}


def aggregated(binder: Binder, query: Query, found: Sequence[Values]) -> list[dict[str, Any]]:
    """Return one row per group, or one row of everything."""
    grouped = {path.text.lower() for path in query.group_by}
    for item in query.select:
        if isinstance(item, Path) and item.text.lower() not in grouped:
            message = f"Field must be grouped or aggregated: {item.text}"
            raise malformed(binder.text, item.place, message)
    keys = [binder.field(path)[1] for path in query.group_by]
    groups: dict[tuple[Any, ...], list[Values]] = {} if keys else {(): []}
    for values in found:
        groups.setdefault(tuple(get(values) for get in keys), []).append(values)
    cells = _cells(binder, query)
    return [
        {"attributes": {"type": "AggregateResult"}}
        | {name: compute(members) for name, compute in cells}
        for members in groups.values()
    ]


Cell = tuple[str, Callable[[list[Values]], Any]]


def _cells(binder: Binder, query: Query) -> list[Cell]:
    cells: list[Cell] = []
    unnamed = 0
    for item in query.select:
        if isinstance(item, Path):
            name = item.alias or (f"expr{unnamed}" if item.function else item.names[-1])
            unnamed += item.function is not None and item.alias is None
            cells.append((name, _first(binder.field(item)[1])))
        elif isinstance(item, Aggregate):
            name = item.alias or f"expr{unnamed}"
            unnamed += item.alias is None
            cells.append((name, _function(binder, item)))
    return cells


def _first(get: Getter) -> Callable[[list[Values]], Any]:
    return lambda members: get(members[0]) if members else None


def _function(binder: Binder, item: Aggregate) -> Callable[[list[Values]], Any]:
    compute = FUNCTIONS[item.function]
    if item.path is None:
        return compute
    get = binder.field(item.path)[1]
    return lambda members: compute(
        [value for values in members if (value := get(values)) is not None]
    )
