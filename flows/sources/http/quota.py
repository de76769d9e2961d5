"""How many calls a connection made, how many it may make, and when to stop so that others can."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from threading import Lock

from psycopg import Connection

from flows.core import clock
from flows.core.errors import QuotaReachedError

RESERVE = 0.2
_USED_TODAY = """
select coalesce(sum(calls), 0), (
    select max(quota_limit) from ops.calls where connection = %(connection)s
)
from ops.calls
where connection = %(connection)s and called_on = %(day)s
"""
_ADD = """
insert into ops.calls as counted
    (connection, called_on, run_id, purpose, calls, bytes, quota_used, quota_limit)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (connection, called_on, run_id, purpose) do update set
    calls = counted.calls + excluded.calls,
    bytes = counted.bytes + excluded.bytes,
    quota_used = excluded.quota_used,
    quota_limit = excluded.quota_limit,
    last_called_at = clock_timestamp()
"""


@dataclass(frozen=True)
class Usage:
    """What the system says of a connection's calls: used so far, and the most there may be."""

    used: int
    limit: int


class Meter:
    """Counts the calls of one connection, and stops before those kept for others are touched.

    The limit is what the system says; where it says nothing, `daily_calls` of the connection and
    the ledger's own count of today.
    """

    def __init__(
        self, connection: str, *, daily_calls: int | None = None, reserve: float = RESERVE
    ) -> None:
        self.connection = connection
        self.run_id: int | None = None
        self.calls = 0
        self.bytes = 0
        self._configured = daily_calls
        self._reserve = reserve
        self._told: Usage | None = None
        self._used_before = 0
        self._lock = Lock()
        self._unwritten: Counter[str] = Counter()
        self._unwritten_bytes: Counter[str] = Counter()

    def begin(self, warehouse: Connection, run_id: int | None) -> None:
        """Look up what earlier runs of the day used."""
        self.run_id = run_id
        values = {"connection": self.connection, "day": _today()}
        row = warehouse.execute(_USED_TODAY, values).fetchone()
        self._used_before = int(row[0]) if row else 0

    @property
    def limit(self) -> int | None:
        """The most calls of a day, None where nobody says."""
        return self._told.limit if self._told else self._configured

    @property
    def used(self) -> int:
        """The calls of the day so far, everybody's where the system says, else ours."""
        return self._told.used if self._told else self._used_before + self.calls

    @property
    def left(self) -> int | None:
        """How many calls may still be made, None when there is no limit to keep to."""
        if self.limit is None:
            return None
        return max(int(self.limit * (1 - self._reserve)) - self.used, 0)

    def allows(self, calls: int) -> bool:
        """Say whether so many more calls leave the reserve untouched."""
        return self.left is None or calls <= self.left

    def before(self) -> None:
        """Raise QuotaReachedError when one more call would go into the reserve."""
        if not self.allows(1):
            raise QuotaReachedError(
                f"{self.used:,} of {self.limit:,} calls of the day are used, and "
                f"{self._reserve:.0%} are kept for others. What was read is kept; the next run "
                "goes on from there."
            )

    def after(self, purpose: str, received: int, usage: Usage | None) -> None:
        """Count one call, and take over what the system says of the day."""
        with self._lock:
            self.calls += 1
            self.bytes += received
            self._unwritten[purpose] += 1
            self._unwritten_bytes[purpose] += received
            if usage:
                self._told = usage
            elif self._told:
                self._told = Usage(self._told.used + 1, self._told.limit)

    def write(self, warehouse: Connection) -> None:
        """Write what was not yet written into `ops.calls`, within the caller's transaction."""
        with self._lock:
            counted, received = self._unwritten, self._unwritten_bytes
            self._unwritten, self._unwritten_bytes = Counter(), Counter()
        rows = [
            (
                *(self.connection, _today(), self.run_id or 0, purpose, calls),
                *(received[purpose], self.used, self.limit),
            )
            for purpose, calls in counted.items()
        ]
        if rows:
            with warehouse.cursor() as cursor:
                cursor.executemany(_ADD, rows)


def _today() -> date:
    return clock.now().date()
