"""Which records a list holds, in which order, and where a page of it starts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadEncodingError
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

import orjson

from flows.sandbox.vendors.business_central.addresses import Target
from flows.sandbox.vendors.business_central.errors import bad_request, no_property
from flows.sandbox.vendors.business_central.filters import filter_test
from flows.sandbox.vendors.business_central.rendering import visible_properties
from flows.sandbox.vendors.business_central.schema import EntitySet
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record

KEYS_ONLY = frozenset(("id", "number", "lastModifiedDateTime"))
REMEMBERED = 8
SortKey = tuple[Any, ...]


@total_ordering
class Descending:
    """A value that sorts the other way round."""

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - of any property
        self.value = value

    def __lt__(self, other: "Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True)
class Order:
    """The properties that a list is sorted by; the key comes last, so that no two are equal."""

    parts: tuple[tuple[str, Any, bool], ...]

    def values(self, record: Record) -> list[Any]:
        """Return what a record is sorted by."""
        return [*(record.values.get(name, empty) for name, empty, _ in self.parts), record.key]

    def key(self, values: list[Any]) -> SortKey:
        """Return the same in the form that sorts."""
        directions = (*(part[2] for part in self.parts), False)
        return tuple(
            Descending(value) if is_descending else value
            for value, is_descending in zip(values, directions, strict=True)
        )


@dataclass
class Listing:
    """Records in the order of a list."""

    order: Order
    keys: list[SortKey]
    records: list[Record]

    def token(self, place: int) -> str:
        """Return the token by which the page behind a record is asked for."""
        return urlsafe_b64encode(orjson.dumps(self.order.values(self.records[place]))).decode()

    def behind(self, token: str) -> int:
        """Return the place behind what a token names, be it still there or not."""
        try:
            values = orjson.loads(urlsafe_b64decode(token))
            return bisect_right(self.keys, self.order.key(values))
        except (BadEncodingError, ValueError, TypeError) as error:
            raise bad_request("The skip token is not valid.") from error


def found(
    tenant: Tenant, request: Request, target: Target, *, is_whole: bool | None = None
) -> Listing:
    """Return what a list holds now; it is worked out anew only when something changed."""
    if is_whole is None:
        is_whole = not _is_keys_only(request.params.get("$select", ""))
    reads_replica = request.headers.get("data-access-intent", "").lower() == "readonly"
    table = tenant.table(target.company, target.set, from_replica=reads_replica)
    options = tuple(request.params.get(name, "") for name in ("$filter", "$orderby"))
    options = ("", options[1]) if tenant.ignores_filters else options
    seen = hash((frozenset(tenant.rules.hidden_rows), frozenset(tenant.rules.withheld_rows)))
    asked = (target, options, is_whole, seen, id(table), table.changes)
    known: Listing | None = tenant.listings.get(asked)
    if known is None:
        if len(tenant.listings) >= REMEMBERED:
            tenant.listings.clear()
        rows = table.live()
        if target.parent is not None:
            rows = iter(table.by(target.reference).get(target.parent, []))
        known = _sorted(tenant, target, options, rows, is_whole=is_whole)
        tenant.listings[asked] = known
    return known


def _is_keys_only(select: str) -> bool:
    """Say whether only keys and stamps are asked for, as a census does."""
    return bool(select) and set(select.split(",")) <= KEYS_ONLY


def _sorted(
    tenant: Tenant,
    target: Target,
    options: tuple[str, ...],
    rows: Iterable[Record],
    *,
    is_whole: bool,
) -> Listing:
    entity = tenant.schema.find(target.set)
    readable = EntitySet(entity.name, visible_properties(tenant, entity))
    test, order, rules = (
        filter_test(options[0], readable),
        _order(readable, options[1]),
        tenant.rules,
    )
    kept = [
        (order.key(order.values(record)), record)
        for record in rows
        if test(record.values)
        and not rules.hides(target.set, record.key)
        and not (is_whole and rules.withholds(target.set, record.key))
    ]
    kept.sort(key=lambda pair: pair[0])
    return Listing(order, [key for key, _ in kept], [record for _, record in kept])


def _order(entity: EntitySet, orderby: str) -> Order:
    parts: list[tuple[str, Any, bool]] = []
    for part in filter(None, orderby.split(",")):
        name, _, direction = part.strip().partition(" ")
        if name not in entity.properties:
            raise no_property(name, entity.kind)
        parts.append((name, entity.properties[name].empty, direction.strip() == "desc"))
    return Order(tuple(parts))
