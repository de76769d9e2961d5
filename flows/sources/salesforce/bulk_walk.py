"""A walk by Bulk API 2.0: one job, whose pages of results can be read again while it is kept."""

from collections.abc import Iterator
from typing import Any

from flows.core.errors import SourceRefusedError
from flows.sources.salesforce.bulk import BulkQuery
from flows.sources.salesforce.reading import Reading
from flows.sources.salesforce.rows import page_of_csv
from flows.sources.salesforce.soql import Walked, select
from flows.sources.windows import Page


class BulkWalk:
    """Reads one walk's rows by a job."""

    def __init__(self, reading: Reading, walk: dict[str, Any]) -> None:
        self._reading = reading
        self._walk = walk
        self._bulk = BulkQuery(reading.api, reading.name)

    def pages(self) -> Iterator[Page]:
        """Yield the rows of the job, which is started unless an earlier run did.

        A job that cannot be read to its end is forgotten, so that the next run starts another.
        """
        if not self._walk.get("job"):
            self._start()
            yield Page(self._reading.saved(self._walk))
        try:
            promised = self._wait()
            yield from self._results()
        except SourceRefusedError:
            yield self._begun_again()
            raise
        if promised is not None and self._walk["rows"] < promised:
            job, rows = self._walk["job"], self._walk["rows"]
            yield self._begun_again()
            raise SourceRefusedError(
                f"Bulk query {job} of {self._reading.name} has {promised:,} rows, but its pages "
                f"held {rows:,}: a link to the next page was lost, perhaps by a proxy that takes "
                "away 'Sforce-Locator'. Let it through, then run again."
            )
        self._bulk.delete(self._walk["job"])

    def _start(self) -> None:
        soql = select(self._reading.described, Walked(self._walk["from"]), in_order=False)
        self._walk["job"] = self._bulk.create(soql, with_deleted=self._walk["with_deleted"])
        self._walk["rows"] = 0

    def _wait(self) -> int | None:
        """Wait for the walk's job; one that is gone since an earlier run is started again."""
        try:
            return self._bulk.wait(self._walk["job"])
        except SourceRefusedError as error:
            if error.code not in ("NOT_FOUND", "INVALIDJOB"):
                raise
        self._start()
        self._walk.update(locator=None, repeats=True)
        return self._bulk.wait(self._walk["job"])

    def _results(self) -> Iterator[Page]:
        reading, walk = self._reading, self._walk
        may_repeat = not walk["full"] or walk.get("repeats", False)
        results = self._bulk.results(walk["job"], walk.get("locator"), walk.get("columns"))
        for result in results:
            walk["rows"] += result.page.count
            walk["locator"], walk["columns"] = result.locator, list(result.page.columns)
            page = page_of_csv(
                result.page,
                reading.saved(walk),
                reading.described.cursor,
                reading.fresh_from(),
                may_repeat=may_repeat,
            )
            reading.note_newest(max((one or "" for one in page.versions), default="")[:24])
            yield page

    def _begun_again(self) -> Page:
        """Return the page that lets the next run start another job."""
        self._walk.update(job=None, locator=None, rows=0, repeats=True)
        return Page(self._reading.saved(self._walk))
