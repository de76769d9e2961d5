"""One walk through an object: all of it, or what changed; REST or Bulk; resumable at every page.

What is known to be complete is told by the watermark, which is Salesforce's own latestDateCovered:
while a transaction is open it stays before the transaction's start. Every walk begins somewhat
before the watermark, reads in the order of (timestamp, id) and has no upper end: what is read
too early is read again, and the watermark never moves past what is covered.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flows.core.errors import SourceRefusedError
from flows.sources.salesforce.api import Changes, Described, SalesforceApi
from flows.sources.salesforce.bulk import JobFailedError
from flows.sources.salesforce.bulk_walk import BulkWalk
from flows.sources.salesforce.ids import whole_id
from flows.sources.salesforce.objects import NEVER_DELETED
from flows.sources.salesforce.reading import Reading
from flows.sources.salesforce.rest_walk import RestWalk
from flows.sources.salesforce.rows import page_of_deletes
from flows.sources.salesforce.soql import Walked, select
from flows.sources.salesforce.stamps import moment, stamp, stamp_of
from flows.sources.windows import Page, State

UPDATES_KEPT = timedelta(days=29)
DELETES_KEPT = timedelta(days=14)
AWHILE = timedelta(hours=1)
# Rows changed so recently are asked for directly: the list of changes would name them again.
RECENT = timedelta(minutes=15)
ROWS_A_CALL = 2000
LONGEST_QUERY = 14_000  # in a URL; longer ones are sent as a bulk job
NO_BULK = frozenset(
    {"INVALIDENTITY", "INVALID_ENTITY", "API_ERROR", "LIMIT_EXCEEDED", "FUNCTIONALITY_NOT_ENABLED"}
)


class Walk:
    """Reads one object from a state on."""

    def __init__(
        self, api: SalesforceApi, described: Described, state: State | None, *, full: bool
    ) -> None:
        self._api = api
        self._described = described
        self._name = described.name
        self._reading = Reading(api, described, state)
        self._state = self._reading.state
        self._full = full or described.cursor is None
        self.has_whole_log = False

    def pages(self) -> Iterator[Page]:
        """Yield what is new, then what was deleted; the last page's state ends the walk."""
        if self._is_under_way():
            yield from self._go_on(self._state["walk"])
        elif self._full or "watermark" not in self._state:
            yield from self._go_on(self._everything())
        else:
            yield from self._changes()
        yield from self._deletes()

    def _is_under_way(self) -> bool:
        walk = self._state.get("walk")
        return bool(walk and (walk["full"] or not self._full))

    # ---------- where a walk begins

    def _everything(self) -> dict[str, Any]:
        now = self._api.now()
        covered = self._covered(now - AWHILE, now).covered_until if self._is_listed() else None
        return self._walk(full=True, start=None, covered=covered, rows=self._api.count(self._name))

    def _changes(self) -> Iterator[Page]:
        now, start = self._api.now(), self._start()
        if not self._is_listed():
            yield from self._go_on(self._walk(start=stamp_of(start), covered=stamp_of(now)))
            return
        if self._was_read_just_now(start, now):
            yield from self._go_on(
                self._walk(start=stamp_of(start), covered=self._state["watermark"])
            )
            return
        is_listed = now - start < UPDATES_KEPT
        changes = self._covered(start if is_listed else now - AWHILE, now)
        self._state["asked_at"] = stamp_of(now)
        if is_listed and not changes.rows:
            self._state["watermark"] = max(self._state["watermark"], changes.covered_until)
            yield Page(dict(self._state))
            return
        rows = len(changes.rows) if is_listed else self._api.count(self._name)
        walk = self._walk(start=stamp_of(start), covered=changes.covered_until, rows=rows)
        yield from self._go_on(walk)

    def _start(self) -> datetime:
        overlap = timedelta(minutes=self._api.options.overlap_minutes)
        return moment(self._state["watermark"]) - overlap

    def _was_read_just_now(self, start: datetime, now: datetime) -> bool:
        asked, newest = self._state.get("asked_at"), self._state.get("newest", "")
        is_recent = asked is not None and now - moment(asked) < RECENT
        return is_recent and newest >= stamp_of(start - timedelta(minutes=1))

    def _is_listed(self) -> bool:
        return self._described.is_replicated and self._described.cursor is not None

    def _covered(self, start: datetime, end: datetime) -> Changes:
        """Ask what changed; more ids than are given out count as very many."""
        try:
            changes = self._api.updated(self._name, start, end)
        except SourceRefusedError as error:
            if error.code != "EXCEEDED_ID_LIMIT":
                raise
            recent = self._api.updated(self._name, end - timedelta(minutes=1), end)
            changes = Changes(range(10**6), recent.covered_until)
        until = min(moment(changes.covered_until), end)
        return Changes(changes.rows, stamp_of(until))

    def _walk(
        self, *, start: str | None, covered: str | None, rows: int = 0, full: bool = False
    ) -> dict[str, Any]:
        return {
            "kind": "bulk" if self._is_for_bulk(rows, start) else "rest",
            "full": full,
            "from": start,
            "watermark": covered or stamp_of(self._api.now()),
            "after": None,
            "with_deleted": not full and self._described.has_bin,
        }

    def _is_for_bulk(self, rows: int, start: str | None) -> bool:
        calls = rows // ROWS_A_CALL + 1
        return (
            rows >= self._api.options.bulk_from
            or not self._api.client.meter.allows(calls)
            or len(select(self._described, Walked(start))) > LONGEST_QUERY
        )

    # ---------- the walk itself

    def _go_on(self, walk: dict[str, Any]) -> Iterator[Page]:
        self._state["walk"] = walk
        if walk["kind"] == "bulk":
            try:
                yield from BulkWalk(self._reading, walk).pages()
            except SourceRefusedError as error:
                if not isinstance(error, JobFailedError) and error.code not in NO_BULK:
                    raise
                walk.update(kind="rest", job=None, locator=None, after=None, repeats=True)
        if walk["kind"] == "rest":
            yield from RestWalk(self._reading, walk).pages()
        yield Page(self._finished(walk))

    def _finished(self, walk: dict[str, Any]) -> State:
        del self._state["walk"]
        before = self._state.get("watermark", "")
        self._state["watermark"] = max(before, walk["watermark"])
        self._state.setdefault("deleted_until", walk["watermark"])
        self._state.setdefault("asked_at", stamp_of(self._api.now()))
        return dict(self._state)

    # ---------- deletes

    def _deletes(self) -> Iterator[Page]:
        """Yield what was deleted since it was last asked; the log does not reach back for ever."""
        if not self._is_listed() or self._name in NEVER_DELETED or not self._described.has_bin:
            return
        now, start = self._api.now(), moment(self._state["deleted_until"])
        is_kept = now - start < DELETES_KEPT
        found = self._api.deleted(self._name, start if is_kept else now - DELETES_KEPT, now)
        is_missing = not is_kept or bool(found.earliest and moment(found.earliest) > start)
        self.has_whole_log = not is_missing
        self._state["deleted_until"] = stamp_of(min(moment(found.covered_until), now))
        deletes = [(whole_id(str(row["id"])), stamp(row["deletedDate"])) for row in found.rows]
        page = page_of_deletes(deletes, dict(self._state), {})
        yield Page(**{**vars(page), "compare_keys": is_missing})
