"""Several requests or records in one call."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import dispatch, json_of, router
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request

MOST_REQUESTS = 25
PREFIX = re.compile(r"/?(?:services/data/)?v(?P<version>\d+\.\d)/(?P<path>.*)")
REFERENCE = re.compile(r"@\{(\w+)\.(\w+)\}")


@router.on("POST", "composite/batch/?")
def batch(org: Org, request: Request) -> Reply:
    """Answer requests that have nothing to do with each other."""
    wanted = _several(json_of(request), "batchRequests")
    results = []
    for one in wanted:
        reply = _answered(org, request, one["method"], one["url"], one.get("richInput"))
        results.append({"statusCode": reply.status, "result": _content(reply)})
    has_errors = any(result["statusCode"] >= 400 for result in results)
    return Reply.of_json(200, {"hasErrors": has_errors, "results": results})


@router.on("POST", "composite/?")
def composite(org: Org, request: Request) -> Reply:
    """Answer requests of which later ones may refer to earlier ones."""
    content = json_of(request)
    known: dict[str, Any] = {}
    results: list[dict[str, Any]] = []
    before = org.store.snapshot()
    for one in _several(content, "compositeRequest"):
        url, body = (_referred(one.get(part), known) for part in ("url", "body"))
        reply = _answered(org, request, one["method"], str(url), body)
        known[one["referenceId"]] = _content(reply)
        results.append(
            {
                "body": _content(reply),
                "httpHeaders": {},
                "httpStatusCode": reply.status,
                "referenceId": one["referenceId"],
            }
        )
        if reply.status >= 400 and content.get("allOrNone"):
            org.store.restore(before)
            results = [_rolled_back(result) for result in results[:-1]] + results[-1:]
            break
    return Reply.of_json(200, {"compositeResponse": results})


def _rolled_back(result: dict[str, Any]) -> dict[str, Any]:
    message = (
        "The transaction was rolled back since another operation in the same transaction failed."
    )
    error = [{"errorCode": "PROCESSING_HALTED", "message": message}]
    return {**result, "body": error, "httpStatusCode": 400}


def _several(content: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401 - as it was sent
    if not isinstance(content, dict) or not isinstance(content.get(name), list):
        raise refused(400, "JSON_PARSER_ERROR", f"{name} is required")
    wanted: list[dict[str, Any]] = content[name]
    if len(wanted) > MOST_REQUESTS:
        message = f"The number of requests must not be more than {MOST_REQUESTS}"
        raise refused(400, "LIMIT_EXCEEDED", message)
    return wanted


def _answered(org: Org, outer: Request, method: str, url: str, body: object) -> Reply:
    parts = urlsplit(url)
    match = PREFIX.fullmatch(parts.path)
    if match is None:
        return _missing()
    inner = Request(
        method,
        match["path"],
        dict(parse_qsl(parts.query)),
        {"content-type": "application/json"},
        orjson.dumps(body) if body is not None else b"",
        match["version"],
        outer.url,
    )
    try:
        return dispatch(org, inner)
    except RefusalError as refusal:
        return refusal.reply


def _missing() -> Reply:
    error = {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
    return Reply.of_json(404, [error])


def _content(reply: Reply) -> Any:  # noqa: ANN401 - whatever was answered
    return orjson.loads(reply.body) if reply.body else None


def _referred(given: Any, known: dict[str, Any]) -> Any:  # noqa: ANN401 - as it was sent
    """Put what earlier requests gave in the places that refer to them."""
    if given is None:
        return None
    text = orjson.dumps(given).decode()
    filled = REFERENCE.sub(lambda match: str(known[match[1]][match[2]]), text)
    return orjson.loads(filled)
