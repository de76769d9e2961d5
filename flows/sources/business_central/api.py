"""What Business Central's API v2.0 offers for reading, one method per kind of question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from flows.core.errors import NotPermittedError, SourceRefusedError, TruncatedAnswerError
from flows.sources.business_central.batch import MOST_IN_BATCH, Question, answers_in, batch_of
from flows.sources.business_central.metadata import Metadata, metadata_of
from flows.sources.business_central.options import Options
from flows.sources.business_central.queries import (
    PLAIN,
    PRIMARY,
    Company,
    Query,
    asking,
    counting,
)
from flows.sources.business_central.rows import is_in_local_currency
from flows.sources.http import Answer, HttpClient, JsonPage, PageGuard, Request, json_page, next_url

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class FirstPage:
    """A page that came in a batch, and how many rows were asked for: so many the next one has."""

    page: JsonPage
    size: int


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
        self,
        company: Company,
        query: Query,
        *,
        from_replica: bool = False,
        first: "FirstPage | None" = None,
    ) -> Iterator[JsonPage]:
        """Yield the pages of a list, by the links that the server gives; `first` is not asked."""
        size = self.options.rows_a_page(with_lines=bool(query.expand))
        headers = asking(first.size if first else size, query, from_replica=from_replica)
        begun = first.page if first else None
        return self._pages(query.path(company), f"list {query.name}", headers, begun)

    def batch(self, questions: Sequence[Question], purpose: str) -> Sequence[Answer]:
        """Ask many questions in one call; each is answered with a status of its own."""
        request = batch_of(questions, purpose, PLAIN | PRIMARY)
        return self.client.read(request, lambda answer: answers_in(answer, len(questions)))

    def row(self, company: Company, query: Query, key: str) -> JsonPage | None:
        """Return one record by its id as a page of its own, None when it is not there."""
        path = f"companies({company.id})/{query.name}({quote(key)}){query.text}"
        request = Request(path, f"look up {query.name}", headers=PLAIN | PRIMARY)
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
        if not self._currencies and len(self.companies) > 1:
            self._currencies.update(self._told_currencies())
        if company.id not in self._currencies:
            self._currencies[company.id] = next(self._local_currencies(company), None)
        return self._currencies[company.id]

    def unnamed_currency(self, company: Company, name: str, row: Mapping[str, Any]) -> str | None:
        """Return the currency of a row that names none, None where the row names it."""
        return self.local_currency(company) if is_in_local_currency(name, row) else None

    def _told_currencies(self) -> Iterator[tuple[str, str]]:
        """Yield what the companies say themselves, asked for in one call."""
        known = self.metadata.sets.get("companyInformation")
        if not known or "currencyCode" not in known.properties:
            return
        query = Query("companyInformation", select="currencyCode", top=1)
        for start in range(0, len(self.companies), MOST_IN_BATCH):
            asked = self.companies[start : start + MOST_IN_BATCH]
            questions = [Question(query.path(one), PLAIN | PRIMARY) for one in asked]
            answers = self._answers(questions, "list companyInformation")
            for one, answer in zip(asked, answers, strict=False):
                rows = (answer.json() or {}).get("value") if answer.is_success else None
                if rows and rows[0].get("currencyCode"):
                    yield one.id, str(rows[0]["currencyCode"])

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
        questions = [counting(one, name) for one in companies]
        found = map(number_in, self._answers(questions, f"count {name}"))
        # What a batch could not answer is asked for by itself, to be refused or retried.
        return [
            self._count(name, one) if number is None else number
            for one, number in zip_longest(companies, found)
        ]

    def _answers(self, questions: Sequence[Question], purpose: str) -> Sequence[Answer]:
        """Return what a batch answers, nothing where batches are refused as such."""
        try:
            return self.batch(questions, purpose)
        except SourceRefusedError:
            return []

    def _count(self, name: str, company: Company) -> int:
        one = counting(company, name)
        return self.client.read(Request(one.url, f"count {name}", headers=one.headers), _number)

    def _pages(
        self,
        url: str,
        purpose: str,
        headers: Mapping[str, str] = PLAIN,
        first: JsonPage | None = None,
    ) -> Iterator[JsonPage]:
        guard = PageGuard(purpose)
        while True:
            request = Request(url, purpose, headers=headers)
            page = first or self.client.read(request, lambda answer: json_page(answer, "value"))
            first = None
            yield page
            following = page.envelope.get("@odata.nextLink")
            if not following:
                return
            guard.passed(len(page.rows), str(following))
            url = next_url(url, str(following))


def number_in(answer: Answer) -> int | None:
    """Return the number that was counted, None where the answer is no number."""
    text = answer.content.decode("utf-8-sig", "replace").strip()
    return int(text) if answer.is_success and text.isdigit() else None


def _number(answer: Answer) -> int:
    number = number_in(answer)
    if number is None:
        raise TruncatedAnswerError(f"the answer is no number: {answer.excerpt()}")
    return number


def _as_page(answer: Answer) -> JsonPage:
    content = b'{"value":[' + answer.content + b"]}"
    return json_page(replace(answer, content=content), "value")
