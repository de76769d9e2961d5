"""Queries and their pages."""

from typing import Any

from flows.sandbox.vendors.salesforce.errors import not_found, refused
from flows.sandbox.vendors.salesforce.org import Cursor, Org
from flows.sandbox.vendors.salesforce.requests import router
from flows.sandbox.vendors.salesforce.soql.run import Found, run
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request

PAGE, SMALLEST_PAGE = 2000, 200
LONGEST_QUERY = 100_000


@router.on("GET", "(?P<verb>query|queryAll)/?")
def query(org: Org, request: Request, verb: str) -> Reply:
    """Answer a query with its first page."""
    text = request.params.get("q", "")
    if not text:
        raise refused(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    if len(text) > LONGEST_QUERY:
        raise refused(400, "QUERY_TOO_COMPLICATED", "SOQL statement is too long")
    found = run(org, text, request.version, with_deleted=verb == "queryAll")
    if found.render is None:
        records = list(found.items)
        return Reply.of_json(200, {"totalSize": found.total, "done": True, "records": records})
    return _page(org, request, _cursor(org, request, found), 0)


def _cursor(org: Org, request: Request, found: Found) -> Cursor:
    if found.render is None:
        raise not_found()
    items = list(found.items)[: org.rules.result_cap]
    return Cursor(items, found.render, found.total, _page_size(org, request), org.clock.now())


def _page_size(org: Org, request: Request) -> int:
    """Return how many rows a page holds: what was asked for, within bounds, or fewer."""
    options = request.headers.get("sforce-query-options", "")
    _, _, asked = options.partition("batchSize=")
    wanted = int(asked.split(",")[0]) if asked.split(",")[0].isdigit() else PAGE
    return min(max(wanted, SMALLEST_PAGE), PAGE, org.rules.page_size or PAGE)


@router.on("GET", r"(?:query|queryAll)/(?P<locator>\w+)-(?P<position>\d+)")
def query_more(org: Org, request: Request, locator: str, position: str) -> Reply:
    """Answer with a further page."""
    cursor = org.cursor(locator)
    if cursor is None or int(position) > len(cursor.items):
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(org, request, cursor, int(position), locator)


@router.on("GET", r"(?:query|queryAll)/[^/]+")
def query_nowhere(_org: Org, _request: Request) -> Reply:
    """Refuse a locator that cannot be one."""
    raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def _page(
    org: Org, request: Request, cursor: Cursor, position: int, locator: str | None = None
) -> Reply:
    end = position + cursor.page_size
    start = max(0, position - org.rules.repeated_rows)
    is_done = end >= len(cursor.items)
    page: dict[str, Any] = {"totalSize": cursor.total, "done": is_done}
    if not is_done:
        locator = locator or org.open_cursor(cursor)
        following = position if org.rules.is_page_stuck and position else end
        verb = request.path.partition("/")[0]
        page["nextRecordsUrl"] = f"/services/data/v{request.version}/{verb}/{locator}-{following}"
    page["records"] = [cursor.render(values) for values in cursor.items[start:end]]
    return Reply.of_json(200, page)
