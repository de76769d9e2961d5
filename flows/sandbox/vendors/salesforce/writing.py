"""Creating, changing and deleting single records."""

from typing import Any
from urllib.parse import unquote

from flows.sandbox.vendors.salesforce.checks import changed_values, created_values
from flows.sandbox.vendors.salesforce.describing import OBJECT, entity_or_404
from flows.sandbox.vendors.salesforce.errors import not_found, refused
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import json_of, router
from flows.sandbox.vendors.salesforce.rows import etag, live_record, shown_row
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.values import moment_of
from flows.sandbox.vendors.shared.moments import http_moment
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record

KEY = "(?P<key>[A-Za-z0-9]{15,18})"
EXTERNAL = r"(?P<field>\w+)/(?P<value>[^/]+)"


def insert(org: Org, entity: Entity, given: dict[str, Any]) -> str:
    """Create a record and return its id."""
    values = created_values(org, entity, given)
    key = org.next_key(entity.name)
    org.save(entity.name, key, values)
    return key


def update(org: Org, entity: Entity, record: Record, given: dict[str, Any]) -> None:
    """Change a record."""
    org.save(entity.name, record.key, changed_values(org, entity, record, given))


@router.on("POST", f"{OBJECT}/?")
def create(org: Org, request: Request, name: str) -> Reply:
    """Create a record."""
    entity = entity_or_404(org, name)
    key = insert(org, entity, _fields(request))
    place = f"/services/data/v{request.version}/sobjects/{entity.name}/{key}"
    return Reply.of_json(201, {"id": key, "success": True, "errors": []}, Location=place)


@router.on("PATCH", f"{OBJECT}/{KEY}/?")
def change(org: Org, request: Request, name: str, key: str) -> Reply:
    """Change a record, if it still is as the caller knows it."""
    entity = entity_or_404(org, name)
    record = live_record(org, entity, key)
    _check_version(entity, record, request)
    update(org, entity, record, _fields(request))
    return Reply(204)


@router.on("DELETE", f"{OBJECT}/{KEY}/?")
def delete(org: Org, _request: Request, name: str, key: str) -> Reply:
    """Put a record in the bin."""
    entity = entity_or_404(org, name)
    if entity.name == "User":
        message = "entity type cannot be deleted: User"
        raise refused(400, "CANNOT_DELETE_ENTITY", message)
    record = live_record(org, entity, key)
    org.delete(entity.name, record.key)
    return Reply(204)


@router.on("GET", f"{OBJECT}/{EXTERNAL}/?")
def read_by_external(org: Org, request: Request, name: str, field: str, value: str) -> Reply:
    """Answer with the record that has this external key."""
    entity = entity_or_404(org, name)
    found = with_external(org, entity, field, unquote(value))
    if not found:
        raise not_found()
    if len(found) > 1:
        return _ambiguous(request, entity, found)
    return shown_row(entity, found[0], request)


@router.on("PATCH", f"{OBJECT}/{EXTERNAL}/?")
def upsert(org: Org, request: Request, name: str, field: str, value: str) -> Reply:
    """Create the record with this external key, or change it."""
    entity = entity_or_404(org, name)
    key_value = unquote(value)
    found = with_external(org, entity, field, key_value)
    if len(found) > 1:
        return _ambiguous(request, entity, found)
    given = _fields(request)
    if found:
        update(org, entity, found[0], given)
        is_with_body = float(request.version) >= 46
        content = {"id": found[0].key, "success": True, "errors": [], "created": False}
        return Reply.of_json(200, content) if is_with_body else Reply(204)
    if request.params.get("updateOnly", "").lower() == "true":
        raise not_found()
    one = entity.find(field)
    key = insert(org, entity, {**given, one.name if one else field: key_value})
    return Reply.of_json(201, {"id": key, "success": True, "errors": [], "created": True})


def with_external(org: Org, entity: Entity, field: str, value: str) -> list[Record]:
    """Return the live records with an external key, in whatever case it is written."""
    one = entity.find(field)
    if one is None or not (one.has("external") or one.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {field}"
        raise not_found(message)
    wanted = value.casefold()
    return [
        record
        for found, records in org.store[entity.name].by(one.name).items()
        if str(found or "").casefold() == wanted
        for record in records
        if not org.rules.hides(entity.name, record.key)
    ]


def _ambiguous(request: Request, entity: Entity, found: list[Record]) -> Reply:
    base = f"/services/data/v{request.version}/sobjects/{entity.name}"
    return Reply.of_json(300, [f"{base}/{record.key}" for record in found])


def _fields(request: Request) -> dict[str, Any]:
    content = json_of(request)
    if not isinstance(content, dict):
        raise refused(400, "JSON_PARSER_ERROR", "The request body must be a JSON object")
    return {name: value for name, value in content.items() if name != "attributes"}


def _check_version(entity: Entity, record: Record, request: Request) -> None:
    """Refuse to write over a version that the caller does not know."""
    wanted = request.headers.get("if-match")
    if wanted and entity.name == "Account" and wanted != etag(record):
        raise _stale()
    since = request.headers.get("if-unmodified-since")
    if since:
        moment = http_moment(since)
        if moment is None:
            raise refused(400, "INVALID_HEADER", "The If-Unmodified-Since header is not valid")
        if moment_of(record.values["SystemModstamp"]) > moment:
            raise _stale()


def _stale() -> RefusalError:
    message = "An If-Match or If-Unmodified-Since precondition failed"
    return refused(412, "PRECONDITION_FAILED", message)
