"""Up to 200 records in one call, each with a result of its own."""

from collections.abc import Callable
from typing import Any

import orjson

from flows.sandbox.vendors.salesforce.describing import entity_or_404
from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import json_of, router
from flows.sandbox.vendors.salesforce.rows import live_record
from flows.sandbox.vendors.salesforce.writing import insert, update, with_external
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request

MOST_RECORDS = 200
COLLECTION = "composite/sobjects"

Write = Callable[[dict[str, Any]], dict[str, Any]]


@router.on("POST", f"{COLLECTION}/?")
def create_many(org: Org, request: Request) -> Reply:
    """Create records."""

    def write(record: dict[str, Any]) -> dict[str, Any]:
        return {"id": insert(org, entity_or_404(org, _type(record)), _values(record))}

    return _each(org, request, write)


@router.on("PATCH", f"{COLLECTION}/?")
def change_many(org: Org, request: Request) -> Reply:
    """Change records by their ids."""

    def write(record: dict[str, Any]) -> dict[str, Any]:
        entity = entity_or_404(org, _type(record))
        key = str(record.get("Id") or record.get("id"))
        update(org, entity, live_record(org, entity, key), _values(record))
        return {"id": key}

    return _each(org, request, write)


@router.on("PATCH", rf"{COLLECTION}/(?P<name>\w+)/(?P<field>\w+)/?")
def upsert_many(org: Org, request: Request, name: str, field: str) -> Reply:
    """Create or change records by an external key."""
    entity = entity_or_404(org, name)

    def write(record: dict[str, Any]) -> dict[str, Any]:
        value = record.get(field)
        if value in (None, ""):
            message = f"{field} not specified"
            raise refused(400, "MISSING_ARGUMENT", message, [])
        found = with_external(org, entity, field, str(value))
        if len(found) > 1:
            message = f"{field}: more than one record found for external id field"
            raise refused(400, "DUPLICATE_EXTERNAL_ID", message, [])
        if not found:
            return {"id": insert(org, entity, _values(record)), "created": True}
        update(org, entity, found[0], _values(record))
        return {"id": found[0].key, "created": False}

    return _each(org, request, write)


@router.on("DELETE", f"{COLLECTION}/?")
def delete_many(org: Org, request: Request) -> Reply:
    """Delete records by their ids."""
    results = []
    for key in request.params.get("ids", "").split(","):
        name = next((name for name in org.store if key in org.store[name].records), "")
        try:
            record = live_record(org, entity_or_404(org, name), key)
            org.delete(name, record.key)
            results.append({"id": key, "success": True, "errors": []})
        except RefusalError as refusal:
            results.append(_failed(refusal))
    return Reply.of_json(200, results)


def _each(org: Org, request: Request, write: Write) -> Reply:
    """Write record by record; one that fails fails alone, unless all or none was asked for."""
    content = json_of(request)
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or len(records) > MOST_RECORDS:
        message = f"records must be a list of at most {MOST_RECORDS}"
        raise refused(400, "INVALID_INPUT", message)
    before = org.store.snapshot()
    results = [_written(write, record) for record in records]
    has_failed = any(not result["success"] for result in results)
    if has_failed and content.get("allOrNone"):
        org.store.restore(before)
        results = [_undone(result) for result in results]
    return Reply.of_json(200, results)


def _written(write: Write, record: dict[str, Any]) -> dict[str, Any]:
    try:
        return {**write(record), "success": True, "errors": []}
    except RefusalError as refusal:
        return _failed(refusal)


def _failed(refusal: RefusalError) -> dict[str, Any]:
    errors = [
        {
            "statusCode": error["errorCode"],
            "message": error["message"],
            "fields": error.get("fields", []),
        }
        for error in orjson.loads(refusal.reply.body)
    ]
    return {"success": False, "errors": errors}


def _undone(result: dict[str, Any]) -> dict[str, Any]:
    if not result["success"]:
        return result
    error = {
        "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "message": "Record rolled back because not all records were valid and the request was "
        "using AllOrNone header",
        "fields": [],
    }
    return {"success": False, "errors": [error]}


def _type(record: dict[str, Any]) -> str:
    return str(record.get("attributes", {}).get("type", ""))


def _values(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("attributes", "Id", "id")}
