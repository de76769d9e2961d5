"""Lists with their options and pages, and single records."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from flows.sandbox.vendors.business_central.addresses import Target
from flows.sandbox.vendors.business_central.errors import bad_request, refused
from flows.sandbox.vendors.business_central.listing import Listing, found
from flows.sandbox.vendors.business_central.rendering import (
    Render,
    render,
    with_expanded,
)
from flows.sandbox.vendors.business_central.schema import LINES
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record

LARGEST_PAGE = 20_000
OPTIONS = frozenset(
    ("$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$skiptoken", "aid",
     "company", "tenant", "$format", "$schemaversion")
)  # fmt: skip
HEADERS = {
    "Content-Type": "application/json; odata.metadata=minimal; odata.streaming=true",
    "OData-Version": "4.0",
}


def listing(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Answer with a page of a set."""
    params = request.params
    _check_options(params)
    _check_lines(target, params)
    rows = found(tenant, request, target)
    page, token = _page(tenant, request, rows)
    shape = shape_of(tenant, request, target)
    content: dict[str, object] = {"@odata.context": f"{request.url}/$metadata#{target.context}"}
    if params.get("$count", "").lower() == "true":
        content["@odata.count"] = len(rows.records)
    content["value"] = [shape(record) for record in page]
    if token is not None and "$top" not in params:
        content["@odata.nextLink"] = _next_link(request, token)
    applied = request.headers.get("prefer", "")
    reply = Reply.of_json(200, content)
    reply.headers |= HEADERS
    if "maxpagesize" in applied:
        reply.headers["Preference-Applied"] = applied
    return reply


def shape_of(tenant: Tenant, request: Request, target: Target) -> Render:
    """Return how records are shown to who asks like this."""
    entity = tenant.schema.find(target.set)
    shape = render(tenant, entity, request.params.get("$select", ""))
    expand = request.params.get("$expand", "")
    return with_expanded(tenant, target.company, entity, expand, shape)


def count(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Answer with the number of records, as plain text."""
    rows = found(tenant, request, target, is_whole=False)
    return Reply(200, str(len(rows.records)).encode(), {"Content-Type": "text/plain", **_VERSION})


_VERSION = {"OData-Version": "4.0"}


def _check_options(params: Mapping[str, str]) -> None:
    for name in params:
        if name.startswith("$") and name not in OPTIONS:
            message = f"The query parameter '{name}' is not supported."
            raise bad_request(message)


def _check_lines(target: Target, params: Mapping[str, str]) -> None:
    """Refuse a list of the lines of everything."""
    is_lines = target.set in LINES.values()
    if is_lines and target.parent is None and "documentId" not in params.get("$filter", ""):
        message = "You must specify an Id or a Document Id to get the lines."
        raise bad_request(message, "Application_DialogException")


def _page(tenant: Tenant, request: Request, rows: Listing) -> tuple[list[Record], str | None]:
    """Return the records of a page, and the token of the next one if there is any."""
    size = _page_size(tenant, request)
    start = _start(request, rows)
    top = request.params.get("$top")
    most = size if top is None else min(size, _number("$top", top))
    last = len(rows.records) if tenant.rules.result_cap is None else tenant.rules.result_cap
    end = min(start + most, len(rows.records), last)
    first = max(0, start - tenant.rules.repeated_rows) if start else 0
    page = rows.records[first:end]
    if end >= min(len(rows.records), last):
        return page, None
    if tenant.rules.is_page_stuck and "$skiptoken" in request.params:
        return page, request.params["$skiptoken"]
    return page, rows.token(end - 1)


def _page_size(tenant: Tenant, request: Request) -> int:
    prefer = request.headers.get("prefer", "")
    _, _, asked = prefer.partition("maxpagesize=")
    size = _number("maxpagesize", asked.split(",")[0].strip()) if asked else LARGEST_PAGE
    if size > LARGEST_PAGE:
        message = f"The page size must not be larger than {LARGEST_PAGE}."
        raise refused(413, "BadRequest", message)
    return min(size, tenant.rules.page_size or LARGEST_PAGE)


def _number(name: str, text: str) -> int:
    if not text.isdigit():
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _start(request: Request, rows: Listing) -> int:
    """Return where a page starts: behind what its token names, wherever that is by now."""
    token = request.params.get("$skiptoken")
    if token is None:
        return _number("$skip", request.params.get("$skip", "0"))
    return rows.behind(token)


def _next_link(request: Request, token: str) -> str:
    kept = {
        name: value for name, value in request.params.items() if name not in ("$skiptoken", "aid")
    }
    options = urlencode({**kept, "aid": "FIRST", "$skiptoken": token}, safe="$", quote_via=quote)
    return f"{request.url}/{request.path}?{options}"
