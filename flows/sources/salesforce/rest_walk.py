"""A walk over REST: page by page in the order of (timestamp, id), resumable at every page."""

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any

from flows.core.errors import SourceRefusedError
from flows.sources.http import JsonPage
from flows.sources.salesforce.reading import Reading
from flows.sources.salesforce.rows import page_of_json
from flows.sources.salesforce.soql import Walked, select
from flows.sources.salesforce.stamps import moment, stamp, stamp_of
from flows.sources.windows import Page

MOST_RESTARTS = 3
TOO_LARGE = frozenset({"QUERY_TIMEOUT", "OPERATION_TOO_LARGE"})
OLDEST = datetime.fromisoformat("1999-01-01T00:00:00+00:00")


class RestWalk:
    """Reads one walk's rows by queries."""

    def __init__(self, reading: Reading, walk: dict[str, Any]) -> None:
        self._reading = reading
        self._walk = walk

    def pages(self) -> Iterator[Page]:
        """Read window by window; a window that is too large for the server is halved."""
        walk = self._walk
        ends: list[str | None] = [None]
        restarts = 0
        while ends:
            before = list(walk["after"] or [])
            try:
                is_whole = yield from self._one_pass(ends[-1])
            except SourceRefusedError as error:
                if error.code in TOO_LARGE:
                    ends.append(self._middle(ends[-1], error))
                    continue
                if error.code != "INVALID_QUERY_LOCATOR" or restarts >= MOST_RESTARTS:
                    raise
                is_whole = False
            restarts = restarts + 1 if list(walk["after"] or []) == before else 0
            if is_whole or restarts >= MOST_RESTARTS:
                end = ends.pop()
                walk.update({"from": end, "after": None} if end else {})

    def _one_pass(self, end: str | None) -> Generator[Page, None, bool]:
        """Read from where the walk stands; return whether as many rows came as were promised."""
        reading, walk = self._reading, self._walk
        promised = received = 0
        for one in Walked(walk["from"], walk["after"], end).parts():
            soql = select(reading.described, one)
            pages = reading.api.query(soql, reading.name, with_deleted=walk["with_deleted"])
            for number, page in enumerate(pages):
                promised += int(page.envelope.get("totalSize", 0)) if number == 0 else 0
                received += len(page.rows)
                yield self._page(page)
        return received >= promised

    def _page(self, page: JsonPage) -> Page:
        reading, walk = self._reading, self._walk
        cursor, after = reading.described.cursor, walk["after"]
        if not page.rows:
            return Page(reading.saved(walk))
        first, last = (
            (stamp(row[cursor]) if cursor and row.get(cursor) else "", row["Id"])
            for row in (page.rows[0], page.rows[-1])
        )
        repeats = bool(after and first <= tuple(after)) or walk.get("repeats", False)
        walk["after"] = max([*last], after or [])
        reading.note_newest(last[0])
        return page_of_json(
            page,
            reading.saved(walk),
            cursor,
            reading.fresh_from(),
            may_repeat=repeats or not walk["full"],
        )

    def _middle(self, end: str | None, error: SourceRefusedError) -> str:
        low = self._walk["after"][0] if self._walk["after"] else self._walk["from"]
        first = moment(low) if low else OLDEST
        last = moment(end) if end else self._reading.api.now()
        if last - first < timedelta(seconds=2):
            raise error
        return stamp_of((first + (last - first) / 2).replace(microsecond=0))
