"""Bulk API 2.0 queries: a job, its results in pages that can be read again, and its end."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from flows.core.errors import (
    SourceRefusedError,
    SourceUnavailableError,
    TruncatedAnswerError,
)
from flows.sources.http import Answer, Request
from flows.sources.http.quoted_csv import CsvPage, csv_page
from flows.sources.salesforce.api import SalesforceApi
from flows.sources.salesforce.objects import CURSORS

ROWS_A_PAGE = 2_500
KEPT = frozenset({"Id", "IsDeleted", *CURSORS})
LONGEST_WAIT = 3600.0
SLOWEST_POLL = 5.0
NO_CONTENT = 204


class JobFailedError(SourceRefusedError):
    """Salesforce gave a job up; REST may still work."""


@dataclass(frozen=True)
class Results:
    """One page of a job's results; `locator` leads to the next one."""

    page: CsvPage
    locator: str | None


class BulkQuery:
    """The query jobs of one organisation."""

    def __init__(self, api: SalesforceApi, name: str) -> None:
        self._client = api.client
        self._poll = api.options.poll_seconds
        self._jobs = f"{api.options.root}/jobs/query"
        self._name = name

    def create(self, soql: str, *, with_deleted: bool) -> str:
        """Start a job and return its id."""
        job = {
            "operation": "queryAll" if with_deleted else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        # A job that was made although its reply was lost ends by itself; it changes nothing.
        return str(self._client.read(self._sent("POST", self._jobs, job), _job)["id"])

    def wait(self, job: str) -> int | None:
        """Wait until a job is complete; return how many rows it says it has.

        Raises JobFailedError when it failed, SourceRefusedError when somebody aborted it,
        SourceUnavailableError when it takes more than an hour.
        """
        started, pause = time.monotonic(), self._poll
        while True:
            told = self._client.read(self._asked(self._jobs, job), _job)
            state = told.get("state")
            if state == "JobComplete":
                rows = told.get("numberRecordsProcessed")
                return int(rows) if rows is not None else None
            if state in ("Failed", "Aborted"):
                self._raise_end(job, str(state), told.get("errorMessage"))
            if time.monotonic() - started > LONGEST_WAIT:
                self._client.read(
                    self._sent("PATCH", f"{self._jobs}/{quote(job)}", {"state": "Aborted"}), _job
                )
                raise SourceUnavailableError(
                    f"Bulk query {job} of {self._name} was not complete after an hour; it was "
                    "aborted. Run again when Salesforce is less busy."
                )
            time.sleep(pause)
            pause = min(pause * 1.5, SLOWEST_POLL)

    def results(
        self, job: str, locator: str | None, columns: Sequence[str] | None = None
    ) -> Iterator[Results]:
        """Yield the pages of a complete job from a locator on, from the start without one.

        The header is on every page or on the first one only; whoever goes on knows the columns.
        """
        while True:
            params = {"maxRecords": str(ROWS_A_PAGE)} | ({"locator": locator} if locator else {})
            request = Request(
                f"{self._jobs}/{quote(job)}/results",
                f"bulk results {self._name}",
                params=params,
                headers={"Accept": "text/csv"},
            )
            read = partial(_results, columns=columns)
            found = self._client.read(request, read)
            columns = found.page.columns or columns
            if found.locator is not None and found.locator == locator:
                raise SourceRefusedError(
                    f"Bulk query {job} of {self._name} leads back to the page that was just read. "
                    "What was read is kept; report it to whoever runs the system."
                )
            yield found
            locator = found.locator
            if locator is None:
                return

    def delete(self, job: str) -> None:
        """Remove a job whose results have landed; one that is gone already is no fault."""
        url = f"{self._jobs}/{quote(job)}"
        try:
            request = Request(url, f"bulk delete {self._name}", "DELETE")
            self._client.read(request, lambda _: True)
        except SourceRefusedError:
            return

    def _raise_end(self, job: str, state: str, message: str | None) -> None:
        said = f"bulk query {job} of {self._name} ended as {state}: {message or 'no reason given'}"
        if state == "Aborted":
            raise SourceRefusedError(
                f"The {said}. Somebody aborted it in Salesforce; run again to start a new one."
            )
        raise JobFailedError(f"The {said}.")

    def _asked(self, url: str, job: str) -> Request:
        return Request(f"{url}/{quote(job)}", f"bulk state {self._name}")

    def _sent(self, method: str, url: str, body: Any) -> Request:  # noqa: ANN401 - JSON
        return Request(
            url,
            f"bulk job {self._name}",
            method,
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )


def _job(answer: Answer) -> dict[str, Any]:
    body = answer.json()
    if not isinstance(body, dict) or "id" not in body:
        raise TruncatedAnswerError(f"the answer is no job: {answer.excerpt()}")
    return body


def _results(answer: Answer, columns: Sequence[str] | None) -> Results:
    if answer.status == NO_CONTENT:
        raise TruncatedAnswerError("the results came without content")
    page = csv_page(answer.content, columns, keep=KEPT)
    announced = answer.headers.get("Sforce-NumberOfRecords", "")
    if announced.isdigit() and int(announced) != page.count:
        raise TruncatedAnswerError(
            f"the page has {page.count:,} of the {int(announced):,} records announced"
        )
    locator = answer.headers.get("Sforce-Locator", "")
    return Results(page, None if locator in ("", "null") else locator)
