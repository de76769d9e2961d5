"""Landing of an object behind an API: page by page, each with its state, then the census."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from psycopg import Connection

from flows.core.errors import (
    QuotaReachedError,
    SourceFileError,
    SourceRefusedError,
    UnbalancedError,
)
from flows.landing.ahead import read_ahead_together
from flows.landing.batches import ColumnDrift, LandedBatch, Ledger, StoredCursor
from flows.landing.census import Census
from flows.landing.known_keys import KnownKeys
from flows.landing.raw_table import RawTable
from flows.landing.rejects import RejectWriter
from flows.sources.contract import Lines
from flows.sources.files.text import looks_like_json_objects
from flows.sources.windows import Page, State, WindowObject, WindowSource, together

PAGES_AHEAD = 2
LARGEST_COMMIT = 4 * 1024 * 1024

_LOCK = "select pg_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "select pg_advisory_unlock(hashtextextended(%s, 0))"
_LAST_BATCH = """
select max(batch_id) from ops.batches
where connection = %s and object = %s and status <> 'rejected'
"""
_CENSUS = """
insert into ops.census (batch_id, connection, object, source_count, warehouse_count)
values (%s, %s, %s, %s, %s)
"""
_COUNT = """
update ops.batches
set extracted_count = extracted_count + %(rows)s, landed_count = landed_count + %(landed)s,
    rejected_count = rejected_count + %(rejected)s, byte_count = coalesce(byte_count, 0) + %(bytes)s
where batch_id = %(batch)s
"""


@dataclass
class WindowLoader:
    """Lands what is new of one object, and then compares what is there with what should be."""

    connection: Connection
    system: str
    source: WindowSource
    target: WindowObject
    run_id: int | None
    progress: Callable[[str, int, int, int], None] | None = None
    drift: tuple[ColumnDrift, ...] = ()
    batch_id: int | None = None
    landed: int = 0
    rejected: int = 0
    state: State | None = None
    compare_keys: bool = False
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.connection, self.system, self.target)
        self.table = RawTable(self.connection, self.system, self.target.name)
        self.keys = KnownKeys(self.connection, self.system, self.target.name)

    def land(self, *, full: bool) -> LandedBatch:
        """Land what is new; what the system refuses is recorded, and what was read before stays."""
        with self._alone():
            try:
                return self._land(full=full)
            except QuotaReachedError as reached:
                self.notes.append(f"stopped early: {reached}")
                return self._finished()
            except (SourceFileError, SourceRefusedError) as error:
                return self._refuse(str(error))
            finally:
                with self.connection.transaction():
                    self.source.meter.write(self.connection)

    def _land(self, *, full: bool) -> LandedBatch:
        name = self.target.name
        fields = self.source.fields(name)
        if not fields and not self.keys.fields:
            self.notes.append("not there, or not to be seen by the integration user.")
            return self._finished()
        with self.connection.transaction():
            self.table.ensure()
        full = self._watch_fields(fields) or full
        self.state = self.ledger.cursor().state
        is_first = self.keys.live_count() == 0
        new = self.source.pages(name, self.state, full=full)
        with read_ahead_together(new, PAGES_AHEAD, _is_enough) as waiting:
            for pages in waiting:
                for page in together(pages):
                    self.commit(page)
        self._note_drift(fields)
        is_due = self.target.is_counted_every_run or self.keys.is_census_due()
        if full or self.compare_keys or self.batch_id is not None or is_due:
            self._take_census(by_key=(full and not is_first) or self.compare_keys)
        return self._finished()

    def commit(self, page: Page) -> None:
        """Land a page and its state in one transaction."""
        with self.connection.transaction():
            # Rows and state are lost together or not at all, so that nobody need wait for the disk.
            self.connection.execute("set local synchronous_commit = off")
            news = self.keys.without_repeats(page) if page.may_repeat and page.keys else page
            batch_id, rejected = self.batch_id, 0
            if news.keys:
                batch_id = batch_id or self.ledger.open_batch(self.run_id)
                rejected = self._write(news, batch_id)
            kept = batch_id or self.ledger.cursor().batch_id
            self.ledger.move_cursor(StoredCursor(page.state, None, kept))
            self.source.meter.write(self.connection)
        self.batch_id, self.state = batch_id, page.state
        self.landed += len(news.keys) - rejected
        self.rejected += rejected
        self.compare_keys = self.compare_keys or page.compare_keys
        if self.progress:
            self.progress(self.target.name, self.landed, self.landed, 0)

    def _write(self, page: Page, batch_id: int) -> int:
        """Write rows, keys and counts; return how many rows could not be stored."""
        self.table.begin(batch_id)
        rejected = 0
        if page.operation == "delete":
            self.table.note_deletes(batch_id, page.lines)
        else:
            trust = "likely" if looks_like_json_objects(page.lines) else "doubtful"
            rejects = self._rejects(batch_id)
            for reject in self.table.write(trust, iter([Lines(page.lines, 1, trust)])):  # type: ignore[arg-type]
                rejects.add(reject)
                rejected += 1
            rejects.flush()
        self.keys.note(page, batch_id)
        rows = len(page.keys)
        counts = {"rows": rows, "landed": rows - rejected, "rejected": rejected}
        size = {"bytes": len(page.lines), "batch": batch_id}
        self.connection.execute(_COUNT, counts | size)
        return rejected

    def _watch_fields(self, fields: Mapping[str, str]) -> bool:
        """Note how the fields differ from before; return whether all rows must be read again.

        Raises SourceRefusedError when a field that is needed can no longer be read: what it last
        said would be taken for cleared.
        """
        before = self.keys.fields
        if hidden := sorted((self.target.needed & set(before)) - set(fields)):
            raise SourceRefusedError(
                f"{self.target.name} no longer shows {', '.join(hidden)}: the fields were removed, "
                "or the integration user may not read them any more. Nothing of it was landed. "
                "Grant the user these fields again, or accept their loss by 'without_fields' of "
                f"connection {self.system}."
            )
        new = [name for name in fields if before and name not in before]
        self.drift = (
            *(ColumnDrift(name, "new") for name in new),
            *(ColumnDrift(name, "missing") for name in before if name not in fields),
            *(
                ColumnDrift(name, "retyped", f"{before[name]} before, {kind} now")
                for name, kind in fields.items()
                if before.get(name, kind) != kind
            ),
        )
        return bool(self.target.needed & set(new))

    def _note_drift(self, fields: Mapping[str, str]) -> None:
        with self.connection.transaction():
            if self.drift and self.batch_id is None:
                self.batch_id = self.ledger.open_batch(self.run_id)
            if self.batch_id:
                types = {name: {kind} for name, kind in fields.items()}
                self.ledger.record_columns(self.batch_id, fields, types)
                self.ledger.record_drift(self.batch_id, self.drift)
            self.keys.note_fields(fields)

    def _take_census(self, *, by_key: bool) -> None:
        census = Census(self.source, self.target, self.keys, self.commit)
        counted = census.take(self.state or {}, by_key=by_key)
        if note := counted.note():
            self.notes.append(note)
        with self.connection.transaction():
            self.keys.note_census()
            if self.batch_id:
                self.connection.execute(
                    _CENSUS,
                    (
                        *(self.batch_id, self.system, self.target.name),
                        *(counted.source_count, counted.warehouse_count),
                    ),
                )

    def _finished(self) -> LandedBatch:
        batch = self._batch(self.batch_id)
        if self.batch_id is None:
            row = self.connection.execute(_LAST_BATCH, (self.system, self.target.name)).fetchone()
            return replace(batch, batch_id=row[0] if row else None, unchanged=True)
        there = self.table.count(self.batch_id)
        if there != self.landed:
            raise UnbalancedError(
                f"{self.system}.{self.target.name}: {self.landed} rows landed in batch "
                f"{self.batch_id}, but {there} are there. Report this; set the batch aside."
            )
        return replace(
            batch,
            extracted=self.landed + self.rejected,
            landed=self.landed,
            rejected=self.rejected,
            drift=self.drift,
        )

    def _refuse(self, reason: str) -> LandedBatch:
        with self.connection.transaction():
            batch_id = self.ledger.open_batch(self.run_id, "rejected")
            self.ledger.record_refusal(batch_id, reason)
        return replace(self._batch(batch_id), refusal=reason)

    def _batch(self, batch_id: int | None) -> LandedBatch:
        note = " ".join(self.notes) or None
        return LandedBatch(batch_id, self.system, self.target.name, self.target.origin, note=note)

    def _rejects(self, batch_id: int) -> RejectWriter:
        return RejectWriter(
            self.connection, (batch_id, self.system, self.target.name, self.target.origin)
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off any other loader of the object, however many transactions this takes."""
        key = (f"concord.landing.{self.system}.{self.target.name}",)
        self.connection.execute(_LOCK, key)
        try:
            yield
        finally:
            if not self.connection.closed:
                self.connection.execute(_UNLOCK, key)


def _is_enough(pages: Sequence[Page]) -> bool:
    return sum(len(page.lines) for page in pages) >= LARGEST_COMMIT
