"""Addresses: which company, which set, which record, and what is asked of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flows.sandbox.vendors.business_central.errors import bad_request, no_segment, refused
from flows.sandbox.vendors.business_central.schema import Schema
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.replies import RefusalError

SEGMENT = re.compile(r"(?P<name>[\w.$]+)(?:\((?P<key>[^)]*)\))?")


@dataclass(frozen=True)
class Target:
    """What an address leads to."""

    company: str
    set: str
    key: str | None = None
    parent: str | None = None
    reference: str = ""
    rest: str | None = None
    context: str = ""


def companies_target(path: str) -> Target | None:
    """Return the target of an address that asks for the companies themselves."""
    match = SEGMENT.fullmatch(path.strip("/"))
    if match is None or match["name"] != "companies":
        return None
    return Target("", "companies", match["key"], context="companies")


def target_of(tenant: Tenant, path: str, params: Mapping[str, str]) -> Target:
    """Follow an address to its end."""
    segments = [segment for segment in path.split("/") if segment]
    company, rest = _company(tenant, segments, params)
    if not rest:
        raise no_segment("companies")
    return _walk(tenant.schema, company, rest)


def _company(
    tenant: Tenant, segments: list[str], params: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Return the company of a request: in the address, in the query, or the only one."""
    name, key = _segment(segments[0])
    if name == "companies" and key is not None:
        if key.lower() not in tenant.companies:
            raise _no_company()
        return tenant.companies[key.lower()], segments[1:]
    named = params.get("company")
    if named is not None:
        found = [known for id_, known in tenant.companies.items() if named in (known, id_)]
        if not found:
            raise _no_company()
        return found[0], segments
    raise _no_company()


def _no_company() -> RefusalError:
    message = (
        "Can't process the request because the default company can't be found. You can specify a "
        "default company in the service configuration file, or specify one for each tenant, or "
        "add a query string in the form of `company=[name]`."
    )
    return refused(404, "Internal_CompanyNotFound", message)


def _segment(text: str) -> tuple[str, str | None]:
    match = SEGMENT.fullmatch(text)
    if match is None:
        raise bad_request("Bad Request - Error in query syntax", "BadRequest_NotFound")
    key = match["key"]
    return match["name"], key.strip("'") if key is not None else None


def _walk(schema: Schema, company: str, segments: list[str]) -> Target:
    name, key = _segment(segments[0])
    entity = schema.find(name)
    context = f"companies({guid('companies', company)})/{name}"
    target = Target(company, name, key.lower() if key else key, context=context)
    for text in segments[1:]:
        following, inner = _segment(text)
        leading = entity.navigations.get(following)
        if leading is None or target.key is None:
            if following == "$count" or following.startswith("Microsoft.NAV."):
                return Target(
                    company, target.set, target.key, target.parent, target.reference, following
                )
            raise no_segment(following)
        target = Target(
            company,
            leading.target,
            inner.lower() if inner else inner,
            target.key,
            leading.there,
            context=f"{context}({target.key})/{following}",
        )
        entity = schema.find(leading.target)
    return target
