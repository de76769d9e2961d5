"""Takes REST requests: who asks, which version, is there allowance left, who answers."""

from typing import Any

import orjson

from flows.sandbox.vendors.salesforce.errors import not_found, refused
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.sessions import Sessions
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request, Router

router = Router()
VERSIONS = tuple(f"{number}.0" for number in range(31, 69))


def answer(org: Org, sessions: Sessions, request: Request) -> Reply:
    """Answer one REST request, or refuse it."""
    try:
        sessions.check(request.headers.get("authorization", ""))
        if not org.quota.take(org.clock.now()):
            message = "TotalRequests Limit exceeded."
            raise refused(403, "REQUEST_LIMIT_EXCEEDED", message)
        reply = dispatch(org, request)
    except RefusalError as refusal:
        reply = refusal.reply
    used = org.quota.used(org.clock.now())
    reply.headers["Sforce-Limit-Info"] = f"api-usage={used}/{org.quota.most}"
    return reply


def dispatch(org: Org, request: Request) -> Reply:
    """Hand a request to what answers it."""
    if request.version not in VERSIONS:
        raise not_found()
    found = router.find(request)
    if isinstance(found, list):
        if not found:
            raise not_found()
        allowed = ", ".join(found)
        message = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
        raise refused(405, "METHOD_NOT_ALLOWED", message)
    handler, parts = found
    return handler(org, request, **parts)


def json_of(request: Request) -> Any:  # noqa: ANN401 - whatever was sent
    """Return the JSON in a request's body."""
    kind = request.headers.get("content-type", "application/json")
    if "json" not in kind:
        raise refused(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type not supported: {kind}")
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise refused(400, "JSON_PARSER_ERROR", str(error)) from error
