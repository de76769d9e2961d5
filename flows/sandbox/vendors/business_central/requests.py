"""Takes requests: who asks, is there allowance left, where does the address lead."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from flows.sandbox.vendors.business_central.addresses import (
    Target,
    companies_target,
    target_of,
)
from flows.sandbox.vendors.business_central.companies import listed_companies
from flows.sandbox.vendors.business_central.errors import bad_request, no_record, refused
from flows.sandbox.vendors.business_central.metadata import metadata
from flows.sandbox.vendors.business_central.reading import HEADERS, count, listing, shape_of
from flows.sandbox.vendors.business_central.sessions import Sessions
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.business_central.writing import act, change, create, delete
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request

MOST_IN_BATCH = 100


def answer(tenant: Tenant, sessions: Sessions, request: Request) -> Reply:
    """Answer one request, or refuse it."""
    try:
        sessions.check(request.headers.get("authorization", ""))
        if not tenant.quota.take(tenant.clock.now()):
            most = tenant.quota.most
            message = f"Too many requests reached. Actual ({most + 1}). Maximum ({most})."
            raise refused(429, "Application_TooManyRequests", message)
        return _batch(tenant, request) if request.path == "$batch" else dispatch(tenant, request)
    except RefusalError as refusal:
        return refusal.reply


def dispatch(tenant: Tenant, request: Request) -> Reply:
    """Hand a request to what answers it."""
    if request.path.rpartition("/")[2] == "$metadata":
        return Reply(200, metadata(tenant), {"Content-Type": "application/xml"})
    if not request.path:
        return _service(tenant, request)
    target = companies_target(request.path)
    if target is not None:
        return _companies(tenant, request, target)
    return _of_company(tenant, request, target_of(tenant, request.path, request.params))


def _service(tenant: Tenant, request: Request) -> Reply:
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in tenant.schema.sets]
    content = {"@odata.context": f"{request.url}/$metadata", "value": sets}
    return _json(content)


def _companies(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Answer with the companies, or with one of them."""
    if request.method != "GET":
        message = (
            f"'{request.method}' requests for 'companies' of EdmType 'Entity' are not allowed "
            "within Microsoft Dynamics NAV OData web services."
        )
        raise refused(405, "BadRequest_MethodNotAllowed", message)
    context = f"{request.url}/$metadata#companies"
    if target.key is None:
        return _json({"@odata.context": context, "value": listed_companies(tenant, request.params)})
    found = listed_companies(tenant, {"$filter": f"id eq {target.key.lower()}"})
    if not found:
        raise no_record("Company", target.key)
    return _json({"@odata.context": f"{context}/$entity", **found[0]})


def _of_company(tenant: Tenant, request: Request, target: Target) -> Reply:
    if target.rest == "$count":
        return count(tenant, request, target)
    if request.method == "GET":
        return (
            listing(tenant, request, target)
            if target.key is None
            else _one(tenant, request, target)
        )
    if request.method == "POST":
        return act(tenant, target) if target.rest else create(tenant, request, target)
    if target.key is not None and request.method == "PATCH":
        return change(tenant, request, target)
    if target.key is not None and request.method == "DELETE":
        return delete(tenant, request, target)
    message = f"'{request.method}' requests for '{target.set}' are not allowed."
    raise refused(405, "BadRequest_MethodNotAllowed", message)


def _one(tenant: Tenant, request: Request, target: Target) -> Reply:
    record = tenant.record(target.company, target.set, str(target.key))
    if record is None:
        raise no_record(target.set, str(target.key))
    content: dict[str, Any] = {
        "@odata.context": f"{request.url}/$metadata#{target.context}/$entity"
    }
    return _json(content | shape_of(tenant, request, target)(record))


def _json(content: object) -> Reply:
    reply = Reply.of_json(200, content)
    reply.headers |= HEADERS
    return reply


def _batch(tenant: Tenant, request: Request) -> Reply:
    """Answer several requests in one, each with its own status."""
    wanted = orjson.loads(request.body).get("requests", [])
    if len(wanted) > MOST_IN_BATCH:
        raise bad_request(f"A batch must not hold more than {MOST_IN_BATCH} requests.")
    is_whole = "snapshot" in request.headers.get("isolation", "")
    before = tenant.store.snapshot()
    responses = [_inner(tenant, request, one) for one in wanted]
    if is_whole and any(response["status"] >= 400 for response in responses):
        tenant.store.restore(before)
    return _json({"responses": responses})


def _inner(tenant: Tenant, outer: Request, wanted: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(str(wanted["url"]))
    body = wanted.get("body")
    request = Request(
        wanted["method"].upper(),
        parts.path.rpartition("/api/v2.0/")[2].strip("/"),
        dict(parse_qsl(parts.query)),
        {name.lower(): value for name, value in wanted.get("headers", {}).items()},
        orjson.dumps(body) if body is not None else b"",
        url=outer.url,
    )
    try:
        reply = dispatch(tenant, request)
    except RefusalError as refusal:
        reply = refusal.reply
    content = orjson.loads(reply.body) if reply.body else None
    return {"id": wanted["id"], "status": reply.status, "headers": reply.headers, "body": content}
