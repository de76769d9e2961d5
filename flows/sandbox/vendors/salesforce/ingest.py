"""Bulk API 2.0 ingest: rows as CSV, written one by one, each with a result of its own."""

import csv
import io
from typing import Any

import orjson

from flows.sandbox.vendors.salesforce.describing import entity_or_404
from flows.sandbox.vendors.salesforce.errors import not_found, refused
from flows.sandbox.vendors.salesforce.jobs import DELIMITERS, LINE_ENDINGS, Ingest
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import json_of, router
from flows.sandbox.vendors.salesforce.rows import live_record
from flows.sandbox.vendors.salesforce.schema import NUMBERS, Entity
from flows.sandbox.vendors.salesforce.writing import insert, update, with_external
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request

JOB = r"jobs/ingest/(?P<key>\w{15,18})"
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
CLEARED = "#N/A"
csv.field_size_limit(1 << 27)


@router.on("POST", "jobs/ingest/?")
def create(org: Org, request: Request) -> Reply:
    """Take an ingest job."""
    wanted = json_of(request)
    if not isinstance(wanted, dict) or wanted.get("operation") not in OPERATIONS:
        raise refused(400, "INVALIDJOB", f"operation must be one of {', '.join(OPERATIONS)}")
    entity_or_404(org, str(wanted.get("object")))
    if wanted["operation"] == "upsert" and not wanted.get("externalIdFieldName"):
        raise refused(400, "INVALIDJOB", "externalIdFieldName is required for upsert")
    job = Ingest(org.jobs.next_id(), wanted, request.version)
    org.ingests[job.id] = job
    return Reply.of_json(200, job.shown())


def _job(org: Org, key: str) -> Ingest:
    job = org.ingests.get(key)
    if job is None:
        raise not_found()
    return job


@router.on("PUT", f"{JOB}/batches/?")
def upload(org: Org, request: Request, key: str) -> Reply:
    """Take the rows of a job, once."""
    job = _job(org, key)
    if job.state != "Open" or job.rows:
        raise refused(400, "INVALIDJOBSTATE", "Only one upload is allowed, while a job is open")
    delimiter = DELIMITERS[job.wanted.get("columnDelimiter", "COMMA")]
    text = io.StringIO(request.body.decode(), newline="")
    job.rows = list(csv.DictReader(text, delimiter=delimiter))
    return Reply(201)


@router.on("PATCH", f"{JOB}/?")
def close(org: Org, request: Request, key: str) -> Reply:
    """Start a job, or give it up."""
    job = _job(org, key)
    state = json_of(request).get("state")
    if state not in ("UploadComplete", "Aborted") or job.state != "Open":
        raise refused(400, "INVALIDJOBSTATE", f"Job cannot go from {job.state} to {state}")
    job.state = state
    return Reply.of_json(200, job.shown())


@router.on("GET", f"{JOB}/?")
def status(org: Org, _request: Request, key: str) -> Reply:
    """Answer with how far a job has come; its rows are written when somebody first asks."""
    job = _job(org, key)
    if job.state == "UploadComplete":
        _write_all(org, job)
        job.state = "JobComplete"
    return Reply.of_json(200, job.shown())


@router.on("DELETE", f"{JOB}/?")
def delete(org: Org, _request: Request, key: str) -> Reply:
    """Forget a job."""
    del org.ingests[_job(org, key).id]
    return Reply(204)


def _write_all(org: Org, job: Ingest) -> None:
    entity = entity_or_404(org, str(job.wanted["object"]))
    for row in job.rows:
        try:
            identity, is_new = _write(org, job, entity, row)
            made = {"sf__Id": identity, "sf__Created": str(is_new).lower()}
            job.done.append({**made, **row})
        except RefusalError as refusal:
            job.failed.append({"sf__Id": "", "sf__Error": _error(refusal), **row})
    # The vendor does not keep the order of the rows either.
    job.done.reverse()


def _error(refusal: RefusalError) -> str:
    error = orjson.loads(refusal.reply.body)[0]
    fields = ",".join(error.get("fields", []))
    return f"{error['errorCode']}:{error['message']}:{fields} --"


def _write(org: Org, job: Ingest, entity: Entity, row: dict[str, str]) -> tuple[str, bool]:
    operation, values = job.wanted["operation"], _values(entity, row)
    if operation == "insert":
        return insert(org, entity, values), True
    if operation == "upsert":
        return _upsert(org, entity, str(job.wanted["externalIdFieldName"]), row, values)
    record = live_record(org, entity, row.get("Id", ""))
    if operation == "update":
        update(org, entity, record, {name: one for name, one in values.items() if name != "Id"})
    else:
        org.delete(entity.name, record.key, is_hard=operation == "hardDelete")
    return record.key, False


def _upsert(
    org: Org, entity: Entity, name: str, row: dict[str, str], values: dict[str, Any]
) -> tuple[str, bool]:
    if not row.get(name):
        raise refused(400, "MISSING_ARGUMENT", f"{name} not specified", [])
    found = with_external(org, entity, name, row[name])
    if not found:
        return insert(org, entity, values), True
    update(org, entity, found[0], values)
    return found[0].key, False


def _values(entity: Entity, row: dict[str, str]) -> dict[str, Any]:
    """Return what a row changes: nothing where it is empty, null where it says so."""
    return {
        name: None if text == CLEARED else _typed(entity, name, text)
        for name, text in row.items()
        if text
    }


def _typed(entity: Entity, name: str, text: str) -> Any:  # noqa: ANN401 - of the field's type
    one = entity.find(name)
    if one is not None and one.type == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if one is not None and one.type in NUMBERS:
        try:
            return float(text)
        except ValueError:
            return text
    return text


@router.on(
    "GET",
    f"{JOB}/(?P<which>successfulResults|failedResults|unprocessedrecords|unprocessedRecords)/?",
)
def results(org: Org, _request: Request, key: str, which: str) -> Reply:
    """Answer with the rows that were written, or those that were not and why."""
    job = _job(org, key)
    rows = {"successfulResults": job.done, "failedResults": job.failed}.get(which, [])
    heads = {
        "successfulResults": ["sf__Id", "sf__Created"],
        "failedResults": ["sf__Id", "sf__Error"],
    }
    columns = heads.get(which, []) + list(job.rows[0] if job.rows else [])
    target = io.StringIO()
    writer = csv.DictWriter(
        target,
        columns,
        quoting=csv.QUOTE_ALL,
        lineterminator=LINE_ENDINGS[job.wanted.get("lineEnding", "LF")],
        delimiter=DELIMITERS[job.wanted.get("columnDelimiter", "COMMA")],
    )
    writer.writeheader()
    writer.writerows(rows)
    return Reply(200, target.getvalue().encode(), {"Content-Type": "text/csv"})
