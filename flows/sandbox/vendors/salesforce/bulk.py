"""Bulk API 2.0: query jobs and their results."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadEncodingError
from typing import Any

from flows.sandbox.vendors.salesforce.errors import not_found, refused
from flows.sandbox.vendors.salesforce.jobs import DELIMITERS, ENDED, LINE_ENDINGS, Column, Job
from flows.sandbox.vendors.salesforce.org import INTEGRATION_USER, Org
from flows.sandbox.vendors.salesforce.requests import json_of, router
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.salesforce.soql.parser import parse
from flows.sandbox.vendors.salesforce.soql.projection import Projection
from flows.sandbox.vendors.salesforce.soql.run import run
from flows.sandbox.vendors.salesforce.soql.syntax import Query
from flows.sandbox.vendors.shared.replies import RefusalError, Reply
from flows.sandbox.vendors.shared.requests import Request

JOB = r"jobs/query/(?P<key>\w{15,18})"
MOST_PAGES_AT_ONCE = 5


@router.on("POST", "jobs/query/?")
def create(org: Org, request: Request) -> Reply:
    """Take a query job."""
    wanted = json_of(request)
    _check(wanted)
    if not org.job_quota.take(org.clock.now()):
        most = org.job_quota.most
        message = f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached"
        raise refused(400, "LIMIT_EXCEEDED", message)
    text = str(wanted.get("query", ""))
    _check_query(parse(text))
    found = run(org, text, request.version, with_deleted=wanted["operation"] == "queryAll")
    if not found.entity.is_in_bulk:
        message = f"Entity '{found.entity.name}' is not supported by the Bulk API."
        raise refused(400, "INVALIDENTITY", message)
    if found.projection is None:
        raise _unsupported("Aggregate")
    job = Job(
        id=org.jobs.next_id(),
        operation=wanted["operation"],
        entity=found.entity.name,
        version=request.version,
        delimiter=wanted.get("columnDelimiter", "COMMA"),
        line_ending=wanted.get("lineEnding", "LF"),
        created_at=org.clock.now(),
        created_by=INTEGRATION_USER,
        columns=_columns(found.entity, found.projection),
        rows=list(found.items)[: org.rules.result_cap],
        polls_left=org.jobs.polls,
    )
    org.jobs.add(job)
    return Reply.of_json(200, job.shown())


def _check(wanted: Any) -> None:  # noqa: ANN401 - whatever was sent
    """Refuse a job that is not one."""
    if not isinstance(wanted, dict) or wanted.get("operation") not in ("query", "queryAll"):
        raise refused(400, "INVALIDJOB", "operation must be query or queryAll")
    allowed = (
        ("contentType", ("CSV",)),
        ("columnDelimiter", tuple(DELIMITERS)),
        ("lineEnding", tuple(LINE_ENDINGS)),
    )
    for name, values in allowed:
        if wanted.get(name, values[0]) not in values:
            raise refused(400, "INVALIDJOB", f"{name} must be one of {', '.join(values)}")


def _check_query(query: Query) -> None:
    if query.has_aggregates:
        raise _unsupported("Aggregate")
    if query.offset:
        raise _unsupported("OFFSET")
    if any(isinstance(item, Query) for item in query.select):
        raise _unsupported("Aggregate Relationship Query")


def _unsupported(what: str) -> RefusalError:
    return refused(400, "API_ERROR", f"{what} Not Supported in Bulk Query")


def _columns(entity: Entity, projection: Projection) -> list[Column]:
    columns = [(name, get, entity.find(name)) for name, get in projection.flat()]
    for _, _, one in columns:
        if one is not None and one.type in ("address", "location"):
            message = "Selecting compound data not supported in Bulk Query"
            raise refused(400, "API_ERROR", message)
    return columns


def _job(org: Org, request: Request, key: str) -> Job:
    """Return a job, for whoever asks in the version in which it was made."""
    job = org.jobs.find(key, org.clock.now())
    if job is None:
        raise not_found()
    if job.version != request.version:
        message = "The API version of the job differs from the API version of the request."
        raise refused(409, "API_VERSION_MISMATCH", message)
    return job


@router.on("GET", "jobs/query/?")
def jobs(org: Org, _request: Request) -> Reply:
    """Answer with all jobs."""
    shown = [job.shown() for job in org.jobs.known.values()]
    return Reply.of_json(200, {"done": True, "records": shown, "nextRecordsUrl": None})


@router.on("GET", f"{JOB}/?")
def status(org: Org, request: Request, key: str) -> Reply:
    """Answer with how far a job has come."""
    job = _job(org, request, key)
    job.poll()
    return Reply.of_json(200, job.shown())


@router.on("PATCH", f"{JOB}/?")
def abort(org: Org, request: Request, key: str) -> Reply:
    """Abort a job that has not ended."""
    job = _job(org, request, key)
    if json_of(request) != {"state": "Aborted"}:
        raise refused(400, "INVALIDJOBSTATE", "A query job can only be aborted")
    if job.state in ENDED:
        raise refused(400, "INVALIDJOBSTATE", f"Job is already in state {job.state}")
    job.state = "Aborted"
    return Reply.of_json(200, job.shown())


@router.on("DELETE", f"{JOB}/?")
def delete(org: Org, request: Request, key: str) -> Reply:
    """Forget a job that has ended."""
    job = _job(org, request, key)
    if job.state not in ENDED:
        raise refused(400, "INVALIDJOBSTATE", "Only jobs that have ended can be deleted")
    del org.jobs.known[key]
    return Reply(204)


@router.on("GET", f"{JOB}/results/?")
def results(org: Org, request: Request, key: str) -> Reply:
    """Answer with a set of the rows that a job found, and the locator of the next."""
    job = _job(org, request, key)
    if job.state != "JobComplete":
        return Reply(204)
    start = _position(request.params.get("locator"))
    if start > len(job.rows):
        raise _bad_locator()
    end = start + _count(org, request)
    has_header = start == 0 or org.rules.is_header_on_every_page
    shown = max(0, start - org.rules.repeated_rows)
    body = job.csv(shown, end, has_header=has_header)
    headers = {
        "Content-Type": "text/csv",
        "Sforce-NumberOfRecords": str(len(job.rows[shown:end])),
        "Sforce-Locator": "null" if end >= len(job.rows) else _locator(end),
    }
    return Reply(200, body, headers)


def _count(org: Org, request: Request) -> int:
    asked = request.params.get("maxRecords", str(org.jobs.page_size))
    if not asked.isdigit() or asked == "0":
        raise refused(400, "INVALIDREQUEST", "maxRecords must be a positive number")
    return min(int(asked), org.rules.page_size or org.jobs.page_size)


@router.on("GET", f"{JOB}/resultPages/?")
def result_pages(org: Org, request: Request, key: str) -> Reply:
    """Answer with where the next sets are, to be fetched side by side."""
    job = _job(org, request, key)
    if job.state != "JobComplete":
        return Reply(204)
    step = org.jobs.page_size
    start = _position(request.params.get("locator"))
    starts = range(start, max(len(job.rows), 1), step)
    base = f"/services/data/v{request.version}/jobs/query/{job.id}"
    urls = [
        {"resultUrl": f"{base}/results?locator={_locator(one)}&maxRecords={step}"}
        for one in starts[:MOST_PAGES_AT_ONCE]
    ]
    rest = starts[MOST_PAGES_AT_ONCE:]
    content: dict[str, Any] = {"resultPages": urls, "done": not rest}
    if rest:
        content["nextRecordsUrl"] = f"{base}/resultPages?locator={_locator(rest[0])}"
    return Reply.of_json(200, content)


def _locator(position: int) -> str:
    return urlsafe_b64encode(f"rows-{position}".encode()).decode()


def _position(locator: str | None) -> int:
    if locator is None:
        return 0
    try:
        _, _, position = urlsafe_b64decode(locator).decode().partition("rows-")
        return int(position)
    except (BadEncodingError, ValueError) as error:
        raise _bad_locator() from error


def _bad_locator() -> RefusalError:
    return refused(400, "INVALID_LOCATOR", "The locator is not valid")
