"""The list of companies, which is asked like any other list."""

from collections.abc import Mapping
from typing import Any

from flows.sandbox.vendors.business_central.errors import bad_request
from flows.sandbox.vendors.business_central.filters import filter_test
from flows.sandbox.vendors.business_central.rendering import selected
from flows.sandbox.vendors.business_central.schema import EMPTY_GUID
from flows.sandbox.vendors.business_central.tenant import Tenant

FOUNDED = "2019-04-01T08:00:00.457Z"


def listed_companies(tenant: Tenant, params: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the companies that the options of a request ask for."""
    entity = tenant.schema.find("companies")
    names = [one.name for one in selected(tenant, entity, params.get("$select", ""))]
    test = filter_test(params.get("$filter", ""), entity)
    top = params.get("$top", str(len(tenant.companies)))
    if not top.isdigit():
        raise bad_request(f"Invalid value '{top}' for $top query option found.")
    rows = [row for row in _rows(tenant) if test(row)]
    return [{name: row[name] for name in names} for row in rows[: int(top)]]


def _rows(tenant: Tenant) -> list[dict[str, Any]]:
    return [
        {
            "id": key,
            "systemVersion": "27.0",
            "timestamp": place,
            "name": name,
            "displayName": name,
            "businessProfileId": "",
            "systemCreatedAt": FOUNDED,
            "systemCreatedBy": EMPTY_GUID,
            "systemModifiedAt": FOUNDED,
            "systemModifiedBy": EMPTY_GUID,
        }
        for place, (key, name) in enumerate(tenant.companies.items(), start=1)
    ]
