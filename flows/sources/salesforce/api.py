"""What Salesforce's REST API offers for reading, one function per resource."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from flows.core.errors import NotPermittedError, SourceRefusedError, TruncatedAnswerError
from flows.sources.http import Answer, HttpClient, JsonPage, PageGuard, Request, json_page, next_url
from flows.sources.salesforce.objects import CURSORS, NOT_READ, TYPES_NOT_READ
from flows.sources.salesforce.options import Options
from flows.sources.salesforce.stamps import literal, whole_minute

DESCRIBED_AT_ONCE = 25
NOT_FOUND = 404

Sighting = Literal["there", "deleted", "not found", "forbidden"]


@dataclass(frozen=True)
class Described:
    """One object as the signed-in user may see it."""

    name: str
    fields: Mapping[str, str]  # the readable ones that are landed, with their types
    is_replicated: bool = True

    @property
    def cursor(self) -> str | None:
        """The field that says when a row last changed."""
        return next((name for name in CURSORS if name in self.fields), None)

    @property
    def has_bin(self) -> bool:
        """Whether deleted rows can be asked for."""
        return "IsDeleted" in self.fields


@dataclass(frozen=True)
class Changes:
    """What getUpdated or getDeleted answered."""

    rows: Sequence[Any]
    covered_until: str
    earliest: str | None = None


class SalesforceApi:
    """Reads one organisation."""

    def __init__(self, client: HttpClient, entrance: HttpClient, options: Options) -> None:
        self.client = client
        self.options = options
        self._entrance = entrance

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()
        self._entrance.close()

    def now(self) -> datetime:
        """Return the time by the organisation's own clock."""
        return self.client.now()

    def describe(self, names: Sequence[str]) -> dict[str, Described]:
        """Describe objects, many in one call; those that the user cannot see are left out."""
        found: dict[str, Described] = {}
        for start in range(0, len(names), DESCRIBED_AT_ONCE):
            found.update(self._describe(names[start : start + DESCRIBED_AT_ONCE]))
        return found

    def _describe(self, names: Sequence[str]) -> Iterator[tuple[str, Described]]:
        version = f"v{self.options.api_version}"
        wanted = [
            {"method": "GET", "url": f"{version}/sobjects/{quote(name)}/describe"} for name in names
        ]
        body = json.dumps({"batchRequests": wanted}).encode()
        request = Request(
            f"{self.options.root}/composite/batch",
            "describe",
            "POST",
            headers={"Content-Type": "application/json"},
            body=body,
        )
        try:
            results = self.client.read(request, lambda answer: _results(answer, len(names)))
        except NotPermittedError:
            raise
        except SourceRefusedError:
            # Proxies let some through and not others: without batches each is asked by itself.
            results = [{} for _ in names]
        for name, result in zip(names, results, strict=True):
            if described := self._seen(name, result):
                yield name, described

    def _seen(self, name: str, result: Any) -> Described | None:  # noqa: ANN401 - as it was sent
        """Return what a description says, None only where the object is not to be seen.

        A description that failed for any other reason is asked for by itself, to be waited for
        or refused: taken for an object that is not there, it would be left out in silence.
        """
        status = int(result.get("statusCode", 0))
        if status == NOT_FOUND:
            return None
        body = result.get("result")
        if not (200 <= status < 300 and isinstance(body, dict)):  # noqa: PLR2004 - what worked
            body = self._described_alone(name)
        return _described(name, body, self.options.without_fields) if body else None

    def _described_alone(self, name: str) -> Any:  # noqa: ANN401 - as it was sent
        request = Request(f"{self.options.root}/sobjects/{quote(name)}/describe", "describe")
        try:
            _, body = self.client.read(
                request, lambda answer: (_whole(answer, "fields"), answer.json())
            )
        except NotPermittedError:
            return None
        except SourceRefusedError as error:
            if error.code not in ("NOT_FOUND", "INVALID_TYPE"):
                raise
            return None
        return body

    def count(self, name: str) -> int:
        """Count the live rows that the user sees."""
        request = self._query("query", f"SELECT COUNT() FROM {name}", f"count {name}")
        return self.client.read(request, lambda answer: int(_whole(answer, "totalSize")))

    def query(self, soql: str, name: str, *, with_deleted: bool = False) -> Iterator[JsonPage]:
        """Yield the pages of a query, by the links that the server gives."""
        resource = "queryAll" if with_deleted else "query"
        request = self._query(resource, soql, f"query {name}")
        guard = PageGuard(f"Query of {name}")
        while True:
            page = self.client.read(request, lambda answer: json_page(answer, "records"))
            yield page
            following = page.envelope.get("nextRecordsUrl")
            if page.envelope.get("done", following is None) or not following:
                return
            guard.passed(len(page.rows), str(following))
            url = next_url(request.url, str(following))
            request = Request(url, f"query {name}")

    def updated(self, name: str, start: datetime, end: datetime) -> Changes:
        """Return the ids changed in a window, and until when nothing more can turn up."""
        request = self._replicated(name, "updated", start, end)
        return self.client.read(request, lambda answer: _changes(answer, "ids"))

    def deleted(self, name: str, start: datetime, end: datetime) -> Changes:
        """Return the ids deleted in a window, and how far back the log reaches."""
        request = self._replicated(name, "deleted", start, end)
        return self.client.read(request, lambda answer: _changes(answer, "deletedRecords"))

    def row(self, described: Described, key: str) -> JsonPage | None:
        """Return one row by its id as a page of its own, None when it is not there."""
        url = f"{self.options.root}/sobjects/{described.name}/{quote(key)}"
        request = Request(url, f"fetch {described.name}")
        try:
            return self.client.read(request, _as_page)
        except SourceRefusedError:
            return None

    def look_up(self, name: str, key: str) -> Sighting:
        """Look one row up by its id."""
        url = f"{self.options.root}/sobjects/{name}/{quote(key)}"
        request = Request(url, f"look up {name}", params={"fields": "Id"})
        try:
            return self.client.read(request, _there)
        except NotPermittedError:
            return "forbidden"
        except SourceRefusedError as error:
            if error.code == "ENTITY_IS_DELETED":
                return "deleted"
            if error.code == "NOT_FOUND":
                return "not found"
            raise

    def _query(self, resource: str, soql: str, purpose: str) -> Request:
        return Request(f"{self.options.root}/{resource}", purpose, params={"q": soql})

    def _replicated(self, name: str, what: str, start: datetime, end: datetime) -> Request:
        # Seconds are ignored, so that a window within one minute would be none.
        first, last = whole_minute(start), whole_minute(end) + timedelta(minutes=1)
        return Request(
            f"{self.options.root}/sobjects/{name}/{what}/",
            f"{what} {name}",
            params={"start": literal(first), "end": literal(last)},
        )


def _described(name: str, body: Any, without: frozenset[str]) -> Described:  # noqa: ANN401
    fields = {
        field["name"]: str(field["type"])
        for field in body["fields"]
        if field["type"] not in TYPES_NOT_READ
        and field["name"] not in NOT_READ
        and not field.get("deprecatedAndHidden")
        and f"{name}.{field['name']}" not in without
    }
    return Described(name, fields, is_replicated=bool(body.get("replicateable", True)))


def _results(answer: Answer, count: int) -> list[Any]:
    results = _whole(answer, "results")
    if not isinstance(results, list) or len(results) != count:
        raise TruncatedAnswerError(f"the descriptions are not the {count} asked for")
    return results


def _changes(answer: Answer, member: str) -> Changes:
    rows, covered = _whole(answer, member), _whole(answer, "latestDateCovered")
    earliest = answer.json().get("earliestDateAvailable")
    return Changes(rows or [], str(covered), str(earliest) if earliest else None)


def _whole(answer: Answer, member: str) -> Any:  # noqa: ANN401 - whatever the server sent
    body = answer.json()
    if not isinstance(body, dict) or member not in body:
        raise TruncatedAnswerError(f"the answer has no {member!r}: {answer.excerpt()}")
    return body[member]


def _there(_: Answer) -> Sighting:
    return "there"


def _as_page(answer: Answer) -> JsonPage:
    content = b'{"records":[' + answer.content + b"]}"
    return json_page(replace(answer, content=content), "records")
