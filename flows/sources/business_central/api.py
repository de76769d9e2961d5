"""What Business Central's API v2.0 offers for reading, one method per kind of question."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from flows.core.errors import NotPermittedError, SourceRefusedError, TruncatedAnswerError
from flows.sources.business_central.metadata import Metadata, metadata_of
from flows.sources.business_central.options import Options
from flows.sources.http import Answer, HttpClient, JsonPage, PageGuard, Request, json_page

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
MOST_IN_BATCH = 100
PLAIN = {"Accept-Language": "en-US"}  # the language changes how errors and dates are written
REPLICA = {"Data-Access-Intent": "ReadOnly"}  # it may lag behind
PRIMARY = {"Data-Access-Intent": "ReadWrite"}


@dataclass(frozen=True)
class Company:
    """One company of the environment; everything is read per company."""

    id: str
    name: str


@dataclass(frozen=True)
class Query:
    """What is asked of one entity set."""

    name: str
    filter: str = ""
    order: str = ""
    select: str = ""
    expand: str = ""
    top: int = 0
    is_counted: bool = False

    @property
    def text(self) -> str:
        """The options of the address; spaces are written as %20, which every server reads."""
        options = {
            "$filter": self.filter,
            "$orderby": self.order,
            "$select": self.select,
            "$expand": self.expand,
            "$top": str(self.top or ""),
            "$count": "true" if self.is_counted else "",
        }
        given = [f"{name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value]
        return f"?{'&'.join(given)}" if given else ""


_SAFE = "$,()'=:"


class BusinessCentralApi:
    """Reads one environment."""

    def __init__(self, client: HttpClient, entrance: HttpClient, options: Options) -> None:
        self.client = client
        self.options = options
        self._entrance = entrance
        self._currencies: dict[str, str | None] = {}

    def now(self) -> datetime:
        """Return the time by the environment's own clock."""
        return self.client.now()

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()
        self._entrance.close()

    @cached_property
    def metadata(self) -> Metadata:
        """What there is to read."""
        headers = {**PLAIN, "Accept": "application/xml"}
        return self.client.read(Request("$metadata", "describe", headers=headers), metadata_of)

    @cached_property
    def all_companies(self) -> Sequence[Company]:
        """Every company that the app may see."""
        rows = [row for page in self._pages("companies", "companies") for row in page.rows]
        return [Company(str(row["id"]).lower(), str(row["name"])) for row in rows]

    @cached_property
    def companies(self) -> Sequence[Company]:
        """The companies to read, in an order that stays.

        Raises SourceRefusedError when there is none, or one is asked for that is not there.
        """
        wanted = self.options.companies
        known = {name for one in self.all_companies for name in (one.id, one.name)}
        missing = sorted(one for one in wanted if one not in known and one.lower() not in known)
        if missing or not self.all_companies:
            raise SourceRefusedError(
                f"The app sees no company {', '.join(missing)}".rstrip() + ". Correct 'companies' "
                "of the connection, or give the app a permission set in these companies."
            )
        lower = {one.lower() for one in wanted}
        return sorted(
            (
                one
                for one in self.all_companies
                if not wanted or one.id in lower or one.name.lower() in lower
            ),
            key=lambda one: one.id,
        )

    def pages(
        self, company: Company, query: Query, *, from_replica: bool = False
    ) -> Iterator[JsonPage]:
        """Yield the pages of a list, by the links that the server gives."""
        size = self.options.rows_a_page(with_lines=bool(query.expand))
        intent = REPLICA if from_replica else PRIMARY
        headers = intent if query.top else {**intent, "Prefer": f"odata.maxpagesize={size}"}
        path = f"companies({company.id})/{query.name}{query.text}"
        return self._pages(path, f"list {query.name}", headers)

    def row(self, company: Company, query: Query, key: str) -> JsonPage | None:
        """Return one record by its id as a page of its own, None when it is not there."""
        path = f"companies({company.id})/{query.name}({quote(key)}){query.text}"
        request = Request(path, f"look up {query.name}", headers={**PLAIN, **PRIMARY})
        try:
            return self.client.read(request, _as_page)
        except NotPermittedError:
            raise
        except SourceRefusedError as error:
            if error.code != "Internal_RecordNotFound":
                raise
            return None

    def count(self, name: str) -> int:
        """Count the records of a set in all companies, many of them in one call."""
        counted = 0
        for start in range(0, len(self.companies), MOST_IN_BATCH):
            counted += sum(self._counts(name, self.companies[start : start + MOST_IN_BATCH]))
        return counted

    def local_currency(self, company: Company) -> str | None:
        """Return the company's own currency: as it says itself, else of a record that uses it."""
        if company.id not in self._currencies:
            self._currencies[company.id] = next(self._local_currencies(company), None)
        return self._currencies[company.id]

    def _local_currencies(self, company: Company) -> Iterator[str]:
        is_local = f"currencyId eq {EMPTY_GUID} and currencyCode ne ''"
        for name, condition in (
            ("companyInformation", ""),
            ("customers", is_local),
            ("salesInvoices", is_local),
        ):
            known = self.metadata.sets.get(name)
            if known and {"currencyCode", *condition.split()[:1]} <= set(known.properties):
                query = Query(name, filter=condition, select="currencyCode", top=1)
                for page in self.pages(company, query):
                    yield from (row["currencyCode"] for row in page.rows if row["currencyCode"])

    def _counts(self, name: str, companies: Sequence[Company]) -> Sequence[int]:
        if len(companies) == 1:
            return [self._count(name, companies[0])]
        wanted = [
            {"id": str(place), "method": "GET", "url": f"companies({one.id})/{name}/$count"}
            for place, one in enumerate(companies)
        ]
        request = Request(
            "$batch",
            f"count {name}",
            "POST",
            headers={**PLAIN, **PRIMARY, "Content-Type": "application/json"},
            body=json.dumps({"requests": wanted}).encode(),
        )
        found = self.client.read(request, lambda answer: _counted(answer, len(companies)))
        # What a batch could not answer is asked for by itself, to be refused or retried.
        return [
            self._count(name, one) if number is None else number
            for one, number in zip(companies, found, strict=True)
        ]

    def _count(self, name: str, company: Company) -> int:
        path = f"companies({company.id})/{name}/$count"
        headers = {**PLAIN, **PRIMARY, "Accept": "text/plain"}
        return self.client.read(Request(path, f"count {name}", headers=headers), _number)

    def _pages(
        self, url: str, purpose: str, headers: Mapping[str, str] = PLAIN
    ) -> Iterator[JsonPage]:
        guard = PageGuard(purpose)
        while True:
            request = Request(url, purpose, headers={**PLAIN, **headers})
            page = self.client.read(request, lambda answer: json_page(answer, "value"))
            yield page
            following = page.envelope.get("@odata.nextLink")
            if not following:
                return
            guard.passed(len(page.rows), str(following))
            url = str(following)


def _counted(answer: Answer, count: int) -> Sequence[int | None]:
    body: Any = answer.json()
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(responses, list) or len(responses) != count:
        raise TruncatedAnswerError(f"the batch has not the {count} answers asked for")
    found = {str(one.get("id")): one for one in responses}
    numbers = [str(found.get(str(place), {}).get("body", "")).strip() for place in range(count)]
    return [int(number) if number.isdigit() else None for number in numbers]


def _number(answer: Answer) -> int:
    text = answer.content.decode("utf-8-sig", "replace").strip()
    if not text.isdigit():
        raise TruncatedAnswerError(f"the answer is no number: {answer.excerpt()}")
    return int(text)


def _as_page(answer: Answer) -> JsonPage:
    content = b'{"value":[' + answer.content + b"]}"
    return json_page(replace(answer, content=content), "value")
