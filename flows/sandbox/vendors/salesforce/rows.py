"""Single records by their id."""

from typing import Any

from flows.sandbox.vendors.salesforce.describing import OBJECT, entity_or_404
from flows.sandbox.vendors.salesforce.errors import no_such_column, not_found, refused
from flows.sandbox.vendors.salesforce.ids import is_id, long_id
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import router
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.soql.projection import attributes, getter
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record


@router.on("GET", f"{OBJECT}/(?P<key>[A-Za-z0-9]{{15,18}})/?")
def row(org: Org, request: Request, name: str, key: str) -> Reply:
    """Answer with one record."""
    entity = entity_or_404(org, name)
    record = live_record(org, entity, key)
    return shown_row(entity, record, request)


def shown_row(entity: Entity, record: Record, request: Request) -> Reply:
    """Answer with all fields of a record, or with those asked for."""
    shown: dict[str, Any] = {"attributes": attributes(entity.name, record.key, request.version)}
    wanted = request.params.get("fields", "")
    for field_name in wanted.split(",") if wanted else entity.fields:
        one = entity.find(field_name.strip())
        if one is None:
            raise no_such_column(field_name, entity.name)
        shown[one.name] = getter(one)(record.values)
    headers = {"ETag": etag(record)} if entity.name == "Account" else {}
    return Reply.of_json(200, shown, **headers)


def etag(record: Record) -> str:
    """Return the version of a record as Account rows carry it."""
    return f'"{record.key[-6:]}{record.version:x}--gzip"'


def live_record(org: Org, entity: Entity, key: str) -> Record:
    """Return a record by its id in either length; refuse what is deleted or not there."""
    if not is_id(key):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
    record = org.record(entity.name, long_id(key))
    if record is None:
        raise not_found()
    if record.is_deleted:
        raise refused(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record
