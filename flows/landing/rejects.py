"""Rejected records on their way into `ops.rejects`, in bounded memory."""

from psycopg import Connection

from flows.sources.contract import LONGEST_PART, Reject

_INSERT = """
insert into ops.rejects (batch_id, connection, object, file, line, part, reason, content)
values (%s, %s, %s, %s, %s, %s, %s, %b)
"""
_MANY = 1000


class RejectWriter:
    """Writes rejects a batch at a time; `flush` writes what is left."""

    def __init__(self, connection: Connection, batch: tuple[int, str, str, str]) -> None:
        self._connection = connection
        self._batch = batch
        self._waiting: list[Reject] = []
        self._bytes = 0

    def add(self, reject: Reject) -> None:
        """Take one reject."""
        self._waiting.append(reject)
        self._bytes += len(reject.content)
        if len(self._waiting) >= _MANY or self._bytes >= LONGEST_PART:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        rows = [
            (*self._batch, reject.line, reject.part, reject.reason, reject.content)
            for reject in self._waiting
        ]
        self._waiting, self._bytes = [], 0
        with self._connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)

    def count(self) -> int:
        """Count the batch's rejected records that are there, each once."""
        row = self._connection.execute(
            "select count(*) from ops.rejects where batch_id = %s and part = 1", self._batch[:1]
        ).fetchone()
        return int(row[0]) if row else 0
