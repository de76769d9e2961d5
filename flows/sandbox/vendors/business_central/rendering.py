"""Records as the wire has them: every property, empty ones as the vendor writes them."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from flows.sandbox.vendors.business_central.errors import no_property
from flows.sandbox.vendors.business_central.filters import filter_test
from flows.sandbox.vendors.business_central.schema import EntitySet, Navigation, Property
from flows.sandbox.vendors.business_central.tenant import Tenant, Values
from flows.sandbox.vendors.shared.store import Record

Render = Callable[[Record], dict[str, Any]]
EXPANDED = re.compile(r"(?P<name>\w+)(?:\((?P<options>(?:[^()]|\([^()]*\))*)\))?(?:,|$)")


def etag(record: Record) -> str:
    """Return the version of a record, weak as all of the vendor's are."""
    inner = b64encode(f"44;{record.key[:8]};{record.version};".encode()).decode()
    return f'W/"{inner}"'


def shown_moment(text: str) -> str:
    """Return a time without the zeros at its end."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def visible_properties(tenant: Tenant, entity: EntitySet) -> dict[str, Property]:
    """Return the properties that this user may read."""
    if not tenant.hidden_properties:
        return entity.properties
    return {
        name: one
        for name, one in entity.properties.items()
        if (entity.name, name) not in tenant.hidden_properties
    }


def selected(tenant: Tenant, entity: EntitySet, select: str) -> Sequence[Property]:
    """Return the properties that are asked for; all of them when nothing is said."""
    known = visible_properties(tenant, entity)
    if not select or select == "*":
        return list(known.values())
    names = [name.strip() for name in select.split(",")]
    for name in names:
        if name not in known:
            raise no_property(name, entity.kind)
    return [known[name] for name in names]


def render(tenant: Tenant, entity: EntitySet, select: str) -> Render:
    """Return what turns a record into what the answer holds of it."""
    columns = [
        (one.name, one.empty, one.type == "datetime") for one in selected(tenant, entity, select)
    ]

    def rendered(record: Record) -> dict[str, Any]:
        values = record.values
        shown: dict[str, Any] = {"@odata.etag": etag(record)}
        for name, empty, is_moment in columns:
            value = values.get(name, empty)
            shown[name] = shown_moment(value) if is_moment else value
        return shown

    return rendered


def with_expanded(
    tenant: Tenant, company: str, entity: EntitySet, expand: str, shape: Render
) -> Render:
    """Return the same with what an entity leads to put into it."""
    if not expand:
        return shape
    inner = [
        _expansion(tenant, company, entity, match["name"], match["options"] or "")
        for match in EXPANDED.finditer(expand)
    ]

    def rendered(record: Record) -> dict[str, Any]:
        shown = shape(record)
        for name, follow in inner:
            shown[name] = follow(record.values)
        return shown

    return rendered


def _expansion(
    tenant: Tenant, company: str, entity: EntitySet, name: str, options: str
) -> tuple[str, Callable[[Values], Any]]:
    leading = entity.navigations.get(name)
    if leading is None:
        raise no_property(name, entity.kind)
    target = tenant.schema.find(leading.target)
    chosen = dict(part.partition("=")[::2] for part in options.split(";") if part)
    shape = render(tenant, target, chosen.get("$select", ""))
    test = filter_test(chosen.get("$filter", ""), target)
    return name, _follow(tenant, company, leading, shape, test)


def _follow(
    tenant: Tenant,
    company: str,
    leading: Navigation,
    shape: Render,
    test: Callable[[Values], bool],
) -> Callable[[Values], Any]:
    index = tenant.table(company, leading.target).by(leading.there)

    def followed(values: Values) -> Any:  # noqa: ANN401 - one record or several
        found = index.get(values.get(leading.here), [])
        kept = [record for record in found if test(record.values)]
        if leading.is_many:
            kept.sort(key=lambda record: record.values.get("sequence", 0))
            return [shape(record) for record in kept]
        return shape(kept[0]) if kept else None

    return followed
