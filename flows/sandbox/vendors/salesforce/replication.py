"""What changed or was deleted within a time, and until when that is the whole truth."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flows.sandbox.vendors.salesforce.describing import OBJECT, entity_or_404
from flows.sandbox.vendors.salesforce.errors import refused
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import router
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.values import moment_text
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request


@router.on("GET", f"{OBJECT}/updated/?")
def updated(org: Org, request: Request, name: str) -> Reply:
    """Answer with the ids that changed, and until when that is the whole truth."""
    entity = _replicated(org, name)
    start, end = _window(org, request, org.retention.updated)
    ids = [
        str(values["Id"])
        for values in org.rows(entity.name, with_deleted=False, is_whole=False)
        if start <= values["SystemModstamp"] < end
    ]
    _check_count(org, ids)
    return Reply.of_json(200, {"ids": ids, "latestDateCovered": _covered(org, end)})


@router.on("GET", f"{OBJECT}/deleted/?")
def deleted(org: Org, request: Request, name: str) -> Reply:
    """Answer with the ids that were deleted, as long as the org remembers."""
    entity = _replicated(org, name)
    start, end = _window(org, request, org.retention.deleted)
    found = [
        {"id": one.key, "deletedDate": moment_text(one.deleted_at)}
        for one in org.store[entity.name].deletions
        if start <= moment_text(one.deleted_at) < end and _is_gone(org, entity.name, one.key)
    ]
    _check_count(org, found)
    available = org.retention.purged_until or _minute(org.clock.now() - org.retention.deleted)
    content = {
        "deletedRecords": found,
        "earliestDateAvailable": moment_text(available),
        "latestDateCovered": _covered(org, end),
    }
    return Reply.of_json(200, content)


def _is_gone(org: Org, name: str, key: str) -> bool:
    if org.rules.hides(name, key):
        return False
    record = org.store[name].records.get(key)
    return record is None or record.is_deleted


def _check_count(org: Org, found: list[Any]) -> None:
    if len(found) > org.retention.most_ids:
        message = f"id limit {org.retention.most_ids} exceeded; use a shorter time span"
        raise refused(400, "EXCEEDED_ID_LIMIT", message)


def _replicated(org: Org, name: str) -> Entity:
    entity = entity_or_404(org, name)
    if not entity.is_replicateable:
        message = f"entity type {name} is not replicateable"
        raise refused(400, "INVALID_TYPE_FOR_OPERATION", message)
    return entity


def _window(org: Org, request: Request, memory: timedelta) -> tuple[str, str]:
    """Return the bounds as stamps; seconds do not count."""
    try:
        moments = [_bound(request.params[name]) for name in ("start", "end")]
    except (KeyError, ValueError) as error:
        message = "start and end must be dates in the form yyyy-MM-ddTHH:mm:ss+00:00"
        raise refused(400, "INVALID_REPLICATION_DATE", message) from error
    start, end = moments
    if start >= end:
        message = "startDate must be at least one minute before endDate"
        raise refused(400, "INVALID_REPLICATION_DATE", message)
    if start < _minute(org.clock.now() - memory):
        message = f"startDate cannot be more than {memory.days} days ago"
        raise refused(400, "INVALID_REPLICATION_DATE", message)
    return moment_text(start), moment_text(end)


def _bound(text: str) -> datetime:
    """Read a bound; one that does not name its zone is no moment."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or " " in text:
        raise ValueError(text)
    return _minute(moment.astimezone(UTC))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _covered(org: Org, end: str) -> str:
    """Return until when nothing can still come: not beyond what is under way."""
    bounds = [end, moment_text(_minute(org.clock.now()))]
    if since := org.store.open_since():
        bounds.append(moment_text(_minute(since)))
    return min(bounds)
