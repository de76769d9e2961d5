"""Bulk API 2.0 jobs: what they are, how far they have come, and what they found or did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flows.sandbox.vendors.salesforce.ids import BULK_JOB, salesforce_id
from flows.sandbox.vendors.salesforce.schema import Field
from flows.sandbox.vendors.salesforce.soql.conditions import Getter, Values
from flows.sandbox.vendors.salesforce.values import moment_text

ENDED = frozenset(("JobComplete", "Failed", "Aborted"))
KEPT = timedelta(days=7)
DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^",
              "BACKQUOTE": "`"}  # fmt: skip
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}

Column = tuple[str, Getter, Field | None]


@dataclass
class Job:
    """One job with its answer, which nobody gets before the job is complete."""

    id: str
    operation: str
    entity: str
    version: str
    delimiter: str
    line_ending: str
    created_at: datetime
    created_by: str
    columns: list[Column]
    rows: list[Values]
    polls_left: int
    ends_as: str = "JobComplete"
    error: str | None = None
    state: str = "UploadComplete"

    def poll(self) -> None:
        """Come a step further."""
        if self.state in ENDED:
            return
        self.polls_left -= 1
        self.state = self.ends_as if self.polls_left < 0 else "InProgress"

    def shown(self) -> dict[str, Any]:
        """Return the job as the API shows it."""
        content: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.entity,
            "createdById": self.created_by,
            "createdDate": moment_text(self.created_at),
            "systemModstamp": moment_text(self.created_at),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }
        if self.state in ENDED:
            is_complete = self.state == "JobComplete"
            content |= {
                "jobType": "V2Query",
                "numberRecordsProcessed": len(self.rows) if is_complete else 0,
                "retries": 0,
                "totalProcessingTime": 100,
            }
        if self.state == "Failed" and self.error:
            content["errorMessage"] = self.error
        return content

    def csv(self, start: int, end: int, *, has_header: bool) -> bytes:
        """Return some of the rows, every value in quotes and nothing for null."""
        delimiter, ending = DELIMITERS[self.delimiter], LINE_ENDINGS[self.line_ending]
        cells = [(get, _writer(one)) for _, get, one in self.columns]
        lines = [delimiter.join(f'"{name}"' for name, _, _ in self.columns)] if has_header else []
        lines += [
            delimiter.join([write(get(values)) for get, write in cells])
            for values in self.rows[start:end]
        ]
        return "".join(f"{line}{ending}" for line in lines).encode()


def _writer(one: Field | None) -> Callable[[Any], str]:
    if one is not None and one.type == "datetime":
        return lambda value: f'"{value[:-5]}Z"' if value else '""'
    if one is not None and one.type == "boolean":
        return lambda value: '"true"' if value else '"false"'
    return _cell


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a field holds
    if value is None:
        return '""'
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if isinstance(value, str) else f'"{value}"'


@dataclass
class Ingest:
    """One ingest job: its rows, and what became of them."""

    id: str
    wanted: dict[str, Any]
    version: str
    state: str = "Open"
    rows: list[dict[str, str]] = field(default_factory=list)
    done: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """Return the job as the API shows it."""
        return {
            "id": self.id,
            "operation": self.wanted["operation"],
            "object": self.wanted["object"],
            "externalIdFieldName": self.wanted.get("externalIdFieldName"),
            "state": self.state,
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "contentUrl": f"services/data/v{self.version}/jobs/ingest/{self.id}/batches",
            "lineEnding": self.wanted.get("lineEnding", "LF"),
            "columnDelimiter": self.wanted.get("columnDelimiter", "COMMA"),
            "numberRecordsProcessed": len(self.done) + len(self.failed),
            "numberRecordsFailed": len(self.failed),
        }


@dataclass
class Ending:
    """How a job to come will end, when it was scripted."""

    state: str
    error: str | None = None


@dataclass
class Jobs:
    """The jobs of an org."""

    polls: int = 1
    page_size: int = 50_000
    known: dict[str, Job] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    _made: int = 0

    def next_id(self) -> str:
        """Return the id of a new job."""
        self._made += 1
        return BULK_JOB + salesforce_id("Job", str(self._made))[3:]

    def add(self, job: Job) -> None:
        """Keep a job, to end as the script says."""
        if self.endings:
            ending = self.endings.pop(0)
            job.ends_as, job.error = ending.state, ending.error
        self.known[job.id] = job

    def find(self, key: str, now: datetime) -> Job | None:
        """Return a job that is still kept."""
        job = self.known.get(key)
        if job and job.state in ENDED and now - job.created_at > KEPT:
            del self.known[key]
            return None
        return job
