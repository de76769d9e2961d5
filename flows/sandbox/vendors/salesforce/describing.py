"""What there is: versions, resources, limits, objects and fields."""

from email.utils import format_datetime

from flows.sandbox.vendors.salesforce.describe import described, summary
from flows.sandbox.vendors.salesforce.errors import not_found
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.requests import VERSIONS, router
from flows.sandbox.vendors.salesforce.schema import Entity
from flows.sandbox.vendors.shared.moments import http_moment
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request

OBJECT = r"sobjects/(?P<name>\w+)"


def entity_or_404(org: Org, name: str) -> Entity:
    """Return an object as the user sees it."""
    entity = org.entity(name)
    if entity is None:
        raise not_found()
    return entity


@router.on("GET", "")
def resources(_org: Org, request: Request) -> Reply:
    """Answer with what there is in this version."""
    names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs")
    base = f"/services/data/v{request.version}"
    return Reply.of_json(200, {name: f"{base}/{name}" for name in names})


def versions() -> list[dict[str, str]]:
    """Return the versions of the API."""
    return [
        {"label": f"Release {version}", "url": f"/services/data/v{version}", "version": version}
        for version in VERSIONS
    ]


@router.on("GET", "limits/?")
def limits(org: Org, _request: Request) -> Reply:
    """Answer with what is left of today's allowance."""
    used = org.quota.used(org.clock.now())
    return Reply.of_json(
        200,
        {
            "DailyApiRequests": {"Max": org.quota.most, "Remaining": org.quota.most - used},
            "DailyBulkV2QueryJobs": {
                "Max": org.job_quota.most,
                "Remaining": org.job_quota.most - org.job_quota.used(org.clock.now()),
            },
            "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
            "DailyAsyncApexExecutions": {"Max": 250000, "Remaining": 250000},
            "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200},
            "DailyStreamingApiEvents": {"Max": 10000, "Remaining": 10000},
            "DataStorageMB": {"Max": 10240, "Remaining": 9216},
            "FileStorageMB": {"Max": 10240, "Remaining": 10240},
            "SingleEmail": {"Max": 5000, "Remaining": 5000},
        },
    )


@router.on("GET", "sobjects/?")
def describe_global(org: Org, request: Request) -> Reply:
    """Answer with all objects."""
    entities = [entity for name in org.schema.names() if (entity := org.entity(name))]
    shown = [summary(entity, request.version) for entity in entities]
    return Reply.of_json(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})


@router.on("GET", f"{OBJECT}/?")
def describe_basic(org: Org, request: Request, name: str) -> Reply:
    """Answer with an object in short."""
    entity = entity_or_404(org, name)
    content = {"objectDescribe": summary(entity, request.version), "recentItems": []}
    return Reply.of_json(200, content)


@router.on("GET", f"{OBJECT}/describe/?")
def describe(org: Org, request: Request, name: str) -> Reply:
    """Answer with an object and those of its fields that the user may see."""
    entity = entity_or_404(org, name)
    since = http_moment(request.headers.get("if-modified-since", ""))
    changed = org.schema.changed_at
    if since and since >= changed:
        return Reply(304)
    modified = {"Last-Modified": format_datetime(changed, usegmt=True)}
    return Reply.of_json(200, described(org, entity, request.version), **modified)
