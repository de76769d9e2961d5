"""One walk through an entity set, company by company; resumable at every page.

Business Central names no moment up to which nothing more can turn up. The watermark of a company
is when its last complete walk began, by the server's clock; the next walk begins an overlap before
it, longer than any request may take, reads in the order of the timestamp and has no upper end. A
first walk may read a replica, which may lag: what changed since the newest row seen there is then
read again from the primary.
"""

from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from flows.core.errors import SourceRefusedError
from flows.sources.business_central.api import BusinessCentralApi, FirstPage
from flows.sources.business_central.objects import CURSORS, EXPANDED, REREAD
from flows.sources.business_central.opening import COMPANIES_AT_ONCE, opening
from flows.sources.business_central.queries import Company, Query
from flows.sources.business_central.rows import page_of, stamp_in
from flows.sources.business_central.stamps import literal, moment, stamp_of
from flows.sources.http import JsonPage
from flows.sources.windows import Page, State


class Walk:
    """Reads one entity set from a state on."""

    def __init__(
        self, api: BusinessCentralApi, name: str, state: State | None, *, full: bool
    ) -> None:
        self._api = api
        self._name = name
        self._full = full
        known = api.metadata.sets[name].properties
        self._cursor = next((one for one in CURSORS if one in known), None)
        before = dict(state or {}).get("companies", {})
        self._first: dict[tuple[str, Query], FirstPage] = {}
        self._is_short = True  # whether nothing but first pages was read
        self.count: int | None = None  # of all records, where the walk was short and knows it
        self._state: dict[str, Any] = {
            "companies": {key: dict(progress) for key, progress in before.items()}
        }

    def pages(self) -> Iterator[Page]:
        """Yield what is new in every company; the last page's state ends the walk."""
        companies = self._api.companies
        counts: list[int | None] = []
        for start in range(0, len(companies), COMPANIES_AT_ONCE):
            together = companies[start : start + COMPANIES_AT_ONCE]
            counts.append(self._open(together))
            for company in together:
                yield from self._company(company)
        known = [one for one in counts if one is not None]
        self.count = sum(known) if len(known) == len(counts) and self._is_short else None
        yield Page(self._saved())

    def _open(self, companies: Sequence[Company]) -> int | None:
        """Ask at once what changed in companies that were read before; return what they count."""
        begun = {one: self._begin(one) for one in companies}
        asked = [
            (company, self._query(one))
            for company, reading in begun.items()
            if not (reading["full"] or reading["after"])
            for one in (reading, *self._again(reading))
        ]
        if not asked:
            return None
        opened = opening(self._api, self._name, asked)
        self._first = dict(opened.pages)
        return opened.count if {one for one, _ in asked} == set(companies) else None

    def _begin(self, company: Company) -> dict[str, Any]:
        """Return where the walk through a company stands."""
        progress = self._state["companies"].setdefault(company.id, {})
        reading: dict[str, Any] | None = progress.get("reading")
        if not reading or (self._full and not reading["full"]):
            reading = progress["reading"] = self._beginning(progress)
        return reading

    def _again(self, reading: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the walk through documents that change without their timestamp."""
        if not reading["full"] and self._cursor and REREAD.get(self._name):
            yield {**reading, "filter": REREAD[self._name]}

    def _company(self, company: Company) -> Iterator[Page]:
        progress, reading = self._state["companies"][company.id], self._begin(company)
        yield from self._read(company, reading)
        if reading["from_replica"]:
            newest = min(reading["started"], reading["newest"] or reading["started"])
            reading.update(from_replica=False, after=None, start=self._earlier(newest))
            yield from self._read(company, reading)
        for again in self._again(reading):
            yield from self._read(company, again)
        progress["watermark"] = reading["started"]
        del progress["reading"]

    def _beginning(self, progress: dict[str, Any]) -> dict[str, Any]:
        full = self._full or "watermark" not in progress
        is_all = full or self._cursor is None or REREAD.get(self._name) == ""
        return {
            "full": full,
            "started": stamp_of(self._api.now()),
            "start": None if is_all else self._earlier(progress["watermark"]),
            "after": None,
            "newest": None,
            "from_replica": full and self._api.options.reads_replica and self._cursor is not None,
            "is_first": "watermark" not in progress,
        }

    def _earlier(self, text: str) -> str:
        return stamp_of(moment(text) - timedelta(minutes=self._api.options.overlap_minutes))

    # ---------- one walk through one company

    def _read(self, company: Company, reading: dict[str, Any]) -> Iterator[Page]:
        """Read to the end; a list that ends early is taken up again where it ended."""
        is_new = reading["is_first"] and reading["after"] is None and reading["start"] is None
        while True:
            before = reading["after"]
            try:
                is_whole = yield from self._one_pass(company, reading, is_new=is_new)
            except SourceRefusedError:
                # A link that is no longer taken: what was read is kept, and read on from there.
                if reading["after"] == before:
                    raise
                is_whole = False
            if is_whole or reading["after"] == before:
                return
            is_new = False

    def _one_pass(
        self, company: Company, reading: dict[str, Any], *, is_new: bool
    ) -> Generator[Page, None, bool]:
        """Read the pages of one list; return whether as many rows came as were promised."""
        promised = received = 0
        known: frozenset[tuple[str, str | None]] = frozenset()
        query = self._query(reading)
        first = self._first.pop((company.id, query), None)
        pages = self._api.pages(
            company, query, from_replica=bool(reading["from_replica"]), first=first
        )
        for number, page in enumerate(pages):
            promised += int(page.envelope.get("@odata.count", 0)) if number == 0 else 0
            received += len(page.rows)
            self._is_short = self._is_short and number == 0 and first is not None
            self._note(page, reading)
            landing = page_of(
                page,
                company,
                self._saved(),
                local_currency=partial(self._api.unnamed_currency, company, self._name),
                known=known,
                may_repeat=not is_new,
            )
            known = frozenset(zip(landing.keys, landing.versions, strict=True)) or known
            yield landing
        return received >= promised

    def _query(self, reading: dict[str, Any]) -> Query:
        begin = reading["after"] or reading["start"]
        condition = reading.get("filter") or (
            f"{self._cursor} ge {literal(begin)}" if self._cursor and begin else ""
        )
        expand = EXPANDED.get(self._name, "")
        leads_to = self._api.metadata.sets[self._name].leads_to
        return Query(
            self._name,
            filter=condition,
            order=f"{self._cursor},id" if self._cursor else "id",
            expand=expand if expand in leads_to else "",
            is_counted=True,
        )

    def _note(self, page: JsonPage, reading: dict[str, Any]) -> None:
        """Note how far the walk is; out of order it can only be begun again."""
        stamps = [one for one in map(stamp_in, page.rows) if one]
        if not stamps or reading.get("filter"):
            return
        reading["newest"] = max(reading["newest"] or "", *stamps)
        if stamps == sorted(stamps) and stamps[0] >= (reading["after"] or ""):
            reading["after"] = stamps[-1]

    def _saved(self) -> State:
        companies = self._state["companies"]
        return {
            "companies": {
                key: {
                    **progress,
                    **({"reading": dict(progress["reading"])} if "reading" in progress else {}),
                }
                for key, progress in companies.items()
            }
        }
