"""Runs a query over the records of the org."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.soql.aggregates import aggregated
from flows.sandbox.vendors.salesforce.soql.binding import Binder, Records, entity_of
from flows.sandbox.vendors.salesforce.soql.conditions import Values, invalid_field
from flows.sandbox.vendors.salesforce.soql.parser import parse
from flows.sandbox.vendors.salesforce.soql.projection import Projection, Render
from flows.sandbox.vendors.salesforce.soql.syntax import Ordering, Path, Query

MOST_SKIPPED = 2000


class Org(Records, Protocol):
    """What running a query asks of the org."""

    def rows(self, entity: str, *, with_deleted: bool, is_whole: bool) -> Iterable[Values]:
        """Yield the records of an object that the user may see."""

    def child(self, parent: str, relationship: str) -> tuple[str, str] | None:
        """Return the object and the field behind the name of a parent's children."""


@dataclass
class Found:
    """What a query found: records still to be rendered, or rows that are ready."""

    entity: Entity
    items: Sequence[Values]
    projection: Projection | None = None
    render: Render | None = None
    total: int = 0


def run(org: Org, text: str, version: str, *, with_deleted: bool = False) -> Found:
    """Return what a query finds, or refuse it."""
    query = parse(text)
    return _Run(org, text, version, with_deleted or query.is_all_rows).found(query)


class _Run:
    """One query with the queries inside it."""

    def __init__(self, org: Org, text: str, version: str, with_deleted: bool) -> None:
        self._org = org
        self._text = text
        self._version = version
        self._with_deleted = with_deleted

    def found(self, query: Query) -> Found:
        entity = entity_of(self._text, query, self._org)
        if not entity.is_queryable:
            message = f"entity type {entity.name} does not support query"
            raise refused(400, "INVALID_TYPE_FOR_OPERATION", message)
        if query.offset > MOST_SKIPPED:
            message = "Maximum SOQL offset allowed is 2000"
            raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
        binder = Binder(self._text, entity, self._org, self._ids)
        if query.has_aggregates:
            return self._aggregated(binder, query)
        projection = Projection(binder, query, self._version)
        rows = self._rows(binder, query, is_whole=not projection.is_keys_only)
        render = self._with_children(query, entity, projection.render())
        return Found(entity, rows, projection, render, len(rows))

    def _aggregated(self, binder: Binder, query: Query) -> Found:
        rows = self._rows(binder, query, is_whole=False)
        if query.is_count:
            return Found(binder.entity, [], total=len(rows))
        groups = aggregated(binder, query, rows)
        return Found(binder.entity, groups, total=len(groups))

    def _rows(self, binder: Binder, query: Query, *, is_whole: bool) -> list[Values]:
        test = binder.test(query.where)
        orders = [(binder.sortable(one.path), one) for one in query.order_by]
        rows = self._org.rows(
            binder.entity.name, with_deleted=self._with_deleted, is_whole=is_whole
        )
        found = [values for values in rows if test(values)] if query.where else list(rows)
        for get, ordering in reversed(orders):
            _sort(found, get, ordering)
        is_grouped = query.has_aggregates and not query.is_count
        end = None if query.limit is None or is_grouped else query.offset + query.limit
        return found[query.offset : end]

    def _ids(self, query: Query) -> frozenset[Any]:
        """Return what a semi-join selects: one field of some records."""
        entity = entity_of(self._text, query, self._org)
        binder = Binder(self._text, entity, self._org, self._ids)
        selected = query.select[0]
        if len(query.select) != 1 or not isinstance(selected, Path):
            message = "semi join sub-selects can only select one field"
            raise invalid_field(self._text, query.place, message)
        get = binder.field(selected)[1]
        return frozenset(get(values) for values in self._rows(binder, query, is_whole=False))

    def _with_children(self, query: Query, entity: Entity, render: Render) -> Render:
        inner = [item for item in query.select if isinstance(item, Query)]
        if not inner:
            return render
        children = [self._children(entity, item) for item in inner]

        def rendered(values: Values) -> dict[str, Any]:
            shown = render(values)
            for name, groups, shape in children:
                mine = groups.get(values["Id"], [])
                shown[name] = _envelope([shape(one) for one in mine])
            return shown

        return rendered

    def _children(
        self, parent: Entity, query: Query
    ) -> tuple[str, dict[str, list[Values]], Render]:
        known = self._org.child(parent.name, query.entity)
        if known is None:
            message = (
                f"Didn't understand relationship '{query.entity}' in FROM part of query call. If "
                "you are attempting to use a custom relationship, be sure to append the '__r' "
                "after the custom relationship name."
            )
            raise refused(400, "INVALID_TYPE", message)
        child, reference = known
        inner = replace(query, entity=child)
        entity = entity_of(self._text, inner, self._org)
        binder = Binder(self._text, entity, self._org, self._ids)
        projection = Projection(binder, inner, self._version)
        groups: dict[str, list[Values]] = {}
        for values in self._rows(binder, inner, is_whole=True):
            groups.setdefault(str(values.get(reference)), []).append(values)
        return query.entity, groups, projection.render()


def _envelope(records: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not records:
        return None
    return {"totalSize": len(records), "done": True, "records": records}


def _sort(rows: list[Values], get: Any, ordering: Ordering) -> None:  # noqa: ANN401
    """Sort by one field; Python's sort keeps the order of what is equal."""
    nulls = [values for values in rows if get(values) is None]
    filled = sorted(
        (values for values in rows if get(values) is not None),
        key=get,
        reverse=ordering.is_descending,
    )
    rows[:] = [*filled, *nulls] if ordering.nulls_last else [*nulls, *filled]
