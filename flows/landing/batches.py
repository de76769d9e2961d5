"""The ledger of landing: batches, cursors and the census, written with the rows they count."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from flows.core.errors import UnbalancedError
from flows.sources.contract import Cursor, Reading, SourceObject


@dataclass(frozen=True)
class ColumnDrift:
    """One column that is not as it was in the batch before."""

    column: str
    change: str
    detail: str | None = None


@dataclass(frozen=True)
class LandedBatch:
    """What became of one object: landed, unchanged or refused."""

    batch_id: int | None
    connection: str
    object: str
    file: str
    extracted: int = 0
    landed: int = 0
    rejected: int = 0
    drift: tuple[ColumnDrift, ...] = ()
    unchanged: bool = False
    refusal: str | None = None
    note: str | None = None  # what people should know although nothing was refused

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"drift": [asdict(change) for change in self.drift]}


@dataclass(frozen=True)
class StoredCursor:
    """How far an object was read, and what was refused since."""

    state: Cursor | None = None
    content_hash: str | None = None
    batch_id: int | None = None
    refused_state: Cursor | None = None
    refusal: str | None = None
    refused_batch_id: int | None = None


class Ledger:
    """Writes what landing one object of a connection leaves in `ops`."""

    def __init__(self, connection: Connection, source_system: str, target: SourceObject) -> None:
        self._connection = connection
        self._key = (source_system, target.name)
        self._target = target

    def lock(self) -> None:
        """Wait for any other loader of the object; hold it off to the end of the transaction."""
        self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"concord.landing.{'.'.join(self._key)}",),
        )

    def cursor(self) -> StoredCursor:
        """Return how far the object was read."""
        row = self._connection.execute(
            "select value, batch_id from ops.cursors where connection = %s and object = %s",
            self._key,
        ).fetchone()
        if row is None:
            return StoredCursor()
        value, refused = row[0], row[0].get("refused", {})
        return StoredCursor(
            state=value.get("state"),
            content_hash=value.get("sha256"),
            batch_id=row[1],
            refused_state=refused.get("state"),
            refusal=refused.get("reason"),
            refused_batch_id=refused.get("batch_id"),
        )

    def move_cursor(self, cursor: StoredCursor) -> None:
        """Record how far the object is read."""
        value: dict[str, object] = {"state": cursor.state, "sha256": cursor.content_hash}
        if cursor.refusal:
            value["refused"] = {
                "state": cursor.refused_state,
                "reason": cursor.refusal,
                "batch_id": cursor.refused_batch_id,
            }
        self._connection.execute(
            "insert into ops.cursors (connection, object, value, batch_id) values (%s, %s, %s, %s)"
            " on conflict (connection, object) do update set value = excluded.value,"
            " batch_id = excluded.batch_id, moved_at = clock_timestamp()",
            (*self._key, Jsonb(value), cursor.batch_id),
        )

    def open_batch(self, run_id: int | None, status: str = "landed") -> int:
        """Begin a batch; return its id."""
        row = self._connection.execute(
            "insert into ops.batches (run_id, connection, object, entities, file, status)"
            " values (%s, %s, %s, %s, %s, %s) returning batch_id",
            (run_id, *self._key, list(self._target.entities), self._target.origin, status),
        ).fetchone()
        return int(row[0]) if row else 0

    def close_batch(self, batch: LandedBatch, reading: Reading) -> None:
        """Record the batch's counts and census; raises UnbalancedError when they differ."""
        extracted = reading.record_count
        if extracted != batch.landed + batch.rejected:
            raise UnbalancedError(
                f"{batch.connection}.{batch.object}: {batch.file} holds {extracted} records, but "
                f"{batch.landed} landed and {batch.rejected} were rejected. Nothing of it was "
                "kept; report this with the file."
            )
        self._connection.execute(
            "update ops.batches set content_hash = %s, byte_count = %s, extracted_count = %s,"
            " landed_count = %s, rejected_count = %s where batch_id = %s",
            (
                *(reading.content_hash, reading.bytes_total),
                *(extracted, batch.landed, batch.rejected, batch.batch_id),
            ),
        )
        self._connection.execute(
            "insert into ops.census (batch_id, connection, object, source_count, warehouse_count)"
            " values (%s, %s, %s, %s, %s)",
            (batch.batch_id, *self._key, extracted, batch.landed + batch.rejected),
        )

    def previous_columns(self) -> tuple[tuple[str, ...], dict[str, set[str]]] | None:
        """Return the columns of the object's last landed batch, with their types."""
        row = self._connection.execute(
            "select columns, column_types from ops.batches where connection = %s and object = %s"
            " and status <> 'rejected' and columns <> '{}' order by batch_id desc limit 1",
            self._key,
        ).fetchone()
        return (tuple(row[0]), {k: set(v) for k, v in row[1].items()}) if row else None

    def record_columns(
        self, batch_id: int, columns: Iterable[str], types: Mapping[str, set[str]]
    ) -> None:
        """Record what columns a batch had."""
        stored = json.dumps({name: sorted(seen) for name, seen in types.items()})
        self._connection.execute(
            "update ops.batches set columns = %s, column_types = %s where batch_id = %s",
            (list(columns), stored, batch_id),
        )

    def record_drift(self, batch_id: int, drift: Iterable[ColumnDrift]) -> None:
        """Record how a batch's columns differ from those before."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.drift (batch_id, connection, object, column_name, change, detail)"
                " values (%s, %s, %s, %s, %s, %s)",
                [(batch_id, *self._key, one.column, one.change, one.detail) for one in drift],
            )

    def record_refusal(self, batch_id: int, reason: str) -> None:
        """Record why a file as a whole was refused."""
        self._connection.execute(
            "insert into ops.rejects (batch_id, connection, object, file, reason)"
            " values (%s, %s, %s, %s, %s)",
            (batch_id, *self._key, self._target.origin, reason),
        )
