"""The ledger of runs, and the one lock that keeps two of them from writing at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.types.json import Jsonb

from flows.core.errors import GateRefusedError, PublicationRefusedError, RunInProgressError
from flows.core.warehouse import connect

WAIT_SECONDS = 900.0
POLL_SECONDS = 1.0
LOCK_KEY = "hashtext('concord.run')"


@dataclass
class Run:
    """One run of a flow; `run_id` is also the version that its staging rows carry."""

    run_id: int
    flow: str
    is_full: bool = False
    status: str = "done"
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Record how many seconds the block takes, under the step's name."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - started
            self.timings[step] = round(self.timings.get(step, 0.0) + spent, 3)


_current: ContextVar[Run | None] = ContextVar("concord_run", default=None)


@contextmanager
def recorded_run(
    flow: str,
    *,
    full: bool = False,
    flow_run_id: str | None = None,
    on_wait: Callable[[str], None] | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[Run]:
    """Hold the run lock and keep the run's row in `ops.runs` for as long as the block lasts.

    A run inside a run is the same run. Raises RunInProgressError when another run keeps
    the lock for longer than `wait_seconds`.
    """
    if (outer := _current.get()) is not None:
        yield outer
        return
    with connect(autocommit=True, application=f"concord {flow}") as connection:
        _wait_for_the_lock(connection, wait_seconds, on_wait)
        _close_what_died(connection)
        run = _open(connection, flow, flow_run_id, full=full)
        token = _current.set(run)
        try:
            yield run
        except BaseException as error:
            _close(connection, run, *_outcome(error))
            raise
        else:
            _close(connection, run, run.status, None)
        finally:
            _current.reset(token)


def _wait_for_the_lock(
    connection: Connection, wait_seconds: float, on_wait: Callable[[str], None] | None
) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while not _try_lock(connection):
        if time.monotonic() > deadline:
            raise RunInProgressError(
                f"{_holder(connection)} is still at work; nothing was changed. "
                "Run this again when it has finished."
            )
        if on_wait and not told:
            on_wait(f"Waiting for {_holder(connection)} to finish.")
            told = True
        time.sleep(POLL_SECONDS)


def _try_lock(connection: Connection) -> bool:
    row = connection.execute(f"select pg_try_advisory_lock({LOCK_KEY})").fetchone()
    return bool(row and row[0])


def _holder(connection: Connection) -> str:
    row = connection.execute(
        "select run_id, flow, started_at from ops.runs where status = 'running' "
        "order by run_id desc limit 1"
    ).fetchone()
    return f"run {row[0]} ({row[1]}, since {row[2]:%H:%M:%S %Z})" if row else "another run"


def _close_what_died(connection: Connection) -> None:
    # Whoever holds the lock is the only one running, so every other open row is a dead process.
    connection.execute(
        "update ops.runs set status = 'failed', finished_at = clock_timestamp(), "
        "reason = 'The process ended without closing its run.' where status = 'running'"
    )


def _open(connection: Connection, flow: str, flow_run_id: str | None, *, full: bool) -> Run:
    row = connection.execute(
        "insert into ops.runs (flow, flow_run_id, is_full) values (%s, %s, %s) returning run_id",
        (flow, flow_run_id, full),
    ).fetchone()
    assert row is not None  # noqa: S101 - insert … returning always answers
    return Run(run_id=int(row[0]), flow=flow, is_full=full)


def _outcome(error: BaseException) -> tuple[str, str]:
    refused = isinstance(error, GateRefusedError | PublicationRefusedError)
    return ("refused" if refused else "failed", str(error) or type(error).__name__)


def _close(connection: Connection, run: Run, status: str, reason: str | None) -> None:
    connection.execute(
        "update ops.runs set status = %s, reason = %s, finished_at = clock_timestamp(), "
        "timings = %s where run_id = %s",
        (status, reason, Jsonb(run.timings), run.run_id),
    )
