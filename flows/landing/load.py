"""Landing: each object of a connection in one transaction, rows, cursor and accounts together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from psycopg import Connection

from flows.core import canonical
from flows.core.errors import QuotaReachedError, SourceFileError
from flows.core.warehouse import connect
from flows.landing import canonical_views, vendor_views
from flows.landing.ahead import read_ahead
from flows.landing.batches import ColumnDrift, LandedBatch, Ledger, StoredCursor
from flows.landing.drift import carried_types, drift
from flows.landing.grouping import grouped
from flows.landing.raw_table import RawTable
from flows.landing.rejects import RejectWriter
from flows.landing.sample import Sample
from flows.landing.windows import WindowLoader
from flows.sources import open_source
from flows.sources.connections import ConnectionConfig
from flows.sources.contract import Chunk, Cursor, Lines, Reading, Source, SourceObject
from flows.sources.windows import WindowSource

Progress = Callable[[str, int, int, int], None]
Target = TypeVar("Target", bound=SourceObject)


def land_connection(
    config: ConnectionConfig,
    *,
    run_id: int | None,
    objects: Sequence[str] | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> list[LandedBatch]:
    """Land what is new of a connection, in a stable order; with `full` what is not new as well.

    A file that cannot be read as a whole is refused, and the others land. Raises SourceFileError
    when there is nothing to read, UnbalancedError when rows in and rows out do not add up.
    """
    source = open_source(config)
    landed: list[LandedBatch] = []
    with connect(autocommit=True, application=f"concord landing {config.name}") as connection:
        if isinstance(source, WindowSource):
            return _land_windows(
                connection, config, source, _Order(run_id, objects, full, progress)
            )
        for target in _chosen(config, source.objects(), objects):
            loader = _Loader(connection, config, source, target, run_id, progress)
            landed.append(loader.land(full=full))
        with connection.transaction():
            canonical_views.refresh(connection, config)
    return landed


@dataclass(frozen=True)
class _Order:
    """What is to be landed, and for whom."""

    run_id: int | None
    objects: Sequence[str] | None
    full: bool
    progress: Progress | None


def _land_windows(
    connection: Connection, config: ConnectionConfig, source: WindowSource, order: _Order
) -> list[LandedBatch]:
    """Land the objects of a system behind an API, then see to it that dbt can read them."""
    landed: list[LandedBatch] = []
    source.meter.begin(connection, order.run_id)
    with closing(source):
        try:
            targets = _chosen(config, source.objects(), order.objects)
        except QuotaReachedError as reached:
            note = f"stopped early: {reached}"
            return [LandedBatch(None, config.name, "nothing", config.system, note=note)]
        for target in targets:
            loader = WindowLoader(
                connection, config.name, source, target, order.run_id, order.progress
            )
            landed.append(loader.land(full=order.full))
    with connection.transaction():
        canonical_views.refresh(connection, config)
    if vendor_views.build_models(config.system):
        with connection.transaction():
            canonical_views.refresh(connection, config)
    return landed


def _chosen(
    config: ConnectionConfig, targets: Sequence[Target], objects: Sequence[str] | None
) -> list[Target]:
    known = {target.name: target for target in targets}
    if unknown := sorted(set(objects or ()) - set(known)):
        raise SourceFileError(
            f"Connection {config.name} has no {', '.join(unknown)}; it has {', '.join(known)}."
        )
    return [target for name, target in known.items() if not objects or name in objects]


class _UnchangedContentError(Exception):
    """The object was written anew with the content that landed last."""

    def __init__(self, state: Cursor) -> None:
        super().__init__()
        self.state = state


@dataclass
class _Loader:
    """Lands one object."""

    connection: Connection
    config: ConnectionConfig
    source: Source
    target: SourceObject
    run_id: int | None
    progress: Progress | None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.connection, self.config.name, self.target)
        self.table = RawTable(self.connection, self.config.name, self.target.name)

    def land(self, *, full: bool) -> LandedBatch:
        """Land the object unless nothing about it is new."""
        try:
            with self.connection.transaction():
                self.ledger.lock()
                return self._land(full=full)
        except _UnchangedContentError as unchanged:
            return self._refresh_cursor(unchanged.state)
        except SourceFileError as error:
            return self._refuse(str(error))

    def _land(self, *, full: bool) -> LandedBatch:
        before, state = self.ledger.cursor(), self.source.cursor(self.target.name)
        if not full and (known := self._known(before, state)):
            return known
        with self.source.read(self.target.name) as reading:
            is_new_table = self.table.ensure()
            batch_id = self.ledger.open_batch(self.run_id)
            sample = self._copy(batch_id, reading)
            if not full and _is_same_content(before, state, reading):
                raise _UnchangedContentError(state)
            batch = self._account(batch_id, reading, sample)
        self.ledger.move_cursor(StoredCursor(state, reading.content_hash, batch_id))
        if is_new_table:
            canonical_views.refresh(self.connection, self.config)
        return batch

    def _known(self, before: StoredCursor, state: Cursor) -> LandedBatch | None:
        """Return what is known of an object in the state in which it was last seen."""
        if before.refusal and before.refused_state == state:
            return replace(
                self._batch(before.refused_batch_id), refusal=before.refusal, unchanged=True
            )
        if before.state == state and not before.refusal:
            return replace(self._batch(before.batch_id), unchanged=True)
        return None

    def _copy(self, batch_id: int, reading: Reading) -> Sample:
        sample = Sample()
        self.table.begin(batch_id)
        rejects = self._rejects(batch_id)
        with read_ahead(reading.chunks()) as chunks:
            watched = self._watched(chunks, sample, reading)
            for group in grouped(watched):
                found = (
                    self.table.write(group.trust, group.blocks())
                    if group.trust
                    else group.rejects()
                )
                for reject in found:
                    rejects.add(reject)
        rejects.flush()
        sample.finish()
        return sample

    def _watched(
        self, chunks: Iterator[Chunk], sample: Sample, reading: Reading
    ) -> Iterator[Chunk]:
        rows = 0
        for chunk in chunks:
            if isinstance(chunk, Lines):
                sample.see(chunk)
                rows += chunk.content.count(b"\n")
            if self.progress:
                done, total = reading.bytes_done, reading.bytes_total
                self.progress(self.target.name, rows, done, total)
            yield chunk

    def _account(self, batch_id: int, reading: Reading, sample: Sample) -> LandedBatch:
        """Balance the batch, on counts of what the warehouse holds."""
        batch = replace(
            self._batch(batch_id),
            extracted=reading.record_count,
            landed=self.table.count(batch_id),
            rejected=self._rejects(batch_id).count(),
            drift=self._drift(batch_id, reading.columns or sample.columns, sample),
        )
        self.ledger.close_batch(batch, reading)
        return batch

    def _drift(
        self, batch_id: int, columns: tuple[str, ...], sample: Sample
    ) -> tuple[ColumnDrift, ...]:
        previous = self.ledger.previous_columns()
        found = drift(columns, sample.types, previous, self._canonical_columns())
        self.ledger.record_columns(batch_id, columns, carried_types(sample.types, previous))
        self.ledger.record_drift(batch_id, found)
        return found

    def _canonical_columns(self) -> frozenset[str] | None:
        if not self.target.is_canonical:
            return None
        return frozenset(canonical.entity(self.target.name).column_names)

    def _refresh_cursor(self, state: Cursor) -> LandedBatch:
        """Remember the state in which the content that landed last was seen again."""
        with self.connection.transaction():
            self.ledger.lock()
            before = self.ledger.cursor()
            self.ledger.move_cursor(StoredCursor(state, before.content_hash, before.batch_id))
        return replace(self._batch(before.batch_id), unchanged=True)

    def _refuse(self, reason: str) -> LandedBatch:
        """Record, in a transaction of its own, why the object as a whole was refused."""
        with self.connection.transaction():
            self.ledger.lock()
            before, state = self.ledger.cursor(), self.source.cursor(self.target.name)
            if known := self._known(before, state):
                return known
            batch_id = self.ledger.open_batch(self.run_id, "rejected")
            self.ledger.record_refusal(batch_id, reason)
            refused = replace(
                before, refused_state=state, refusal=reason, refused_batch_id=batch_id
            )
            self.ledger.move_cursor(refused)
        return replace(self._batch(batch_id), refusal=reason)

    def _rejects(self, batch_id: int) -> RejectWriter:
        return RejectWriter(
            self.connection, (batch_id, self.config.name, self.target.name, self.target.origin)
        )

    def _batch(self, batch_id: int | None) -> LandedBatch:
        return LandedBatch(batch_id, self.config.name, self.target.name, self.target.origin)


def _is_same_content(before: StoredCursor, state: Cursor, reading: Reading) -> bool:
    """Tell whether the content that landed last is there again, to be read in the same way."""
    return (
        before.state is not None
        and before.content_hash == reading.content_hash
        and before.state.get("format") == state.get("format")
    )
