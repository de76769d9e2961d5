"""Point all published views at a slot at once, without ever holding analysts up for long."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row

from flows.core.errors import PublicationRefusedError, TransientError
from flows.publishing.dependents import Outcome, SavedView, put_back, restore_rights, take_down
from flows.publishing.plan import Plan, ViewPlan
from flows.publishing.shape import MARTS

# Milliseconds, well under deadlock_timeout (1 s): it is publishing that gives way, never a reader.
# The long wait outlasts usual queries. Readers of the other views that queue behind it then hold
# what publishing wants next; right after it lets go they all end, which the short waits catch.
LONG_WAIT = 100
SHORT_WAIT = 3
SHORT_WAITS = 30
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@dataclass(frozen=True)
class Holder:
    """A session that publishing has to wait for."""

    pid: int
    usename: str | None
    since: datetime | None
    reason: str

    def __str__(self) -> str:
        """Spell it for a person."""
        since = f" since {self.since:%Y-%m-%d %H:%M:%S}" if self.since else ""
        return f"session {self.pid} of {self.usename or 'an unknown user'} ({self.reason}{since})"


def flip(
    connection: Connection, plan: Plan, built_at: datetime | None, patience: float
) -> list[Outcome]:
    """Change every view in the caller's transaction and return what became of analysts' own views.

    Locks are asked for only for a moment at a time, so that readers never queue behind a wait
    for long. Raises TransientError naming who holds the views when patience (s) runs out.
    """
    deadline = monotonic() + patience
    pause = FIRST_PAUSE
    order = list(plan.views)
    while True:
        holders = _older_snapshots(connection, built_at)
        if not holders:
            outcomes = _attempts(connection, plan, order)
            if outcomes is not None:
                return outcomes
            holders = _lock_holders(connection)
        if monotonic() + pause > deadline:
            raise TransientError(_out_of_patience(holders, patience))
        sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _attempts(connection: Connection, plan: Plan, order: list[ViewPlan]) -> list[Outcome] | None:
    """Try with one long wait and then some short ones; None when the views stayed busy."""
    for wait in (LONG_WAIT, *[SHORT_WAIT] * SHORT_WAITS):
        try:
            return _all_at_once(connection, plan, order, wait)
        except BUSY:
            sleep(random.uniform(0.0005, 0.004))  # noqa: S311 - spreads retries, guards nothing
    return None


def _all_at_once(
    connection: Connection, plan: Plan, order: list[ViewPlan], wait: int
) -> list[Outcome]:
    with connection.transaction():
        connection.execute(sql.SQL("set local lock_timeout to {}").format(wait))
        breaking = {loss.table for loss in plan.losses}
        ours, theirs = take_down(connection, sorted(breaking)) if breaking else ([], [])
        _make_all(connection, order, {view.name: view for view in ours})
        outcomes = put_back(connection, theirs)
        connection.execute("set local lock_timeout to default")
    return outcomes


def _make_all(
    connection: Connection, order: list[ViewPlan], saved: Mapping[str, SavedView]
) -> None:
    for position, view in enumerate(order):
        try:
            _make(connection, view, saved.get(view.table))
        except BUSY:
            # Waiting for this one while holding others stops the very readers it waits for, so the
            # next attempt waits for it before it holds anything.
            order.insert(0, order.pop(position))
            raise


def _make(connection: Connection, view: ViewPlan, saved: SavedView | None) -> None:
    name = sql.Identifier(MARTS, view.table)
    try:
        connection.execute(sql.SQL("create or replace view {} as {}").format(name, view.query))
    except psycopg.ProgrammingError as error:
        raise PublicationRefusedError(
            f"View {MARTS}.{view.table} cannot be made ({error.diag.message_primary}). "
            "Check its view expressions in the model's yml."
        ) from error
    if saved:
        restore_rights(connection, saved)
    elif view.is_new:
        connection.execute(sql.SQL("grant select on {} to concord_analyst").format(name))
    for column, comment in view.comments.items():
        connection.execute(_comment(view.table, column, comment))


def _comment(table: str, column: str | None, comment: str | None) -> sql.Composed:
    if column is None:
        return sql.SQL("comment on view {} is {}").format(sql.Identifier(MARTS, table), comment)
    return sql.SQL("comment on column {} is {}").format(
        sql.Identifier(MARTS, table, column), comment
    )


def _older_snapshots(connection: Connection, built_at: datetime | None) -> list[Holder]:
    """Find readers whose transaction may still see the slot as it was before it was complete.

    They hold no lock on a view they have not read yet, but would read it half built after the flip.
    """
    return _holders(
        connection,
        """
        select pid, usename::text as usename, xact_start as since,
            'its transaction began before the slot was complete' as reason
        from pg_stat_activity
        where
            datname = current_database() and backend_type = 'client backend'
            and backend_xmin is not null and xact_start < %s and pid <> pg_backend_pid()
            and application_name !~ '^(concord|dbt)'
            and has_schema_privilege(usesysid, 'marts', 'usage')
        order by xact_start
        """,
        built_at,
    )


def _lock_holders(connection: Connection) -> list[Holder]:
    return _holders(
        connection,
        """
        select distinct
            a.pid, a.usename::text as usename, a.xact_start as since,
            'reading, ' || coalesce(a.state, 'state unknown') as reason
        from pg_locks as l
        inner join pg_class as c on c.oid = l.relation and c.relnamespace = %s::regnamespace
        inner join pg_stat_activity as a on a.pid = l.pid
        where
            l.granted and l.pid <> pg_backend_pid()
            and l.database = (
                select d.oid from pg_database as d where d.datname = current_database()
            )
        order by a.xact_start
        """,
        MARTS,
    )


def _holders(connection: Connection, query: str, parameter: object) -> list[Holder]:
    # A transaction sees one copy of the activity of others unless it asks for a new one.
    connection.execute("select pg_stat_clear_snapshot()")
    with connection.cursor(row_factory=class_row(Holder)) as cursor:
        return cursor.execute(query.encode(), (parameter,)).fetchall()


def _out_of_patience(holders: list[Holder], patience: float) -> str:
    named = "; ".join(map(str, holders)) or "sessions that have ended meanwhile"
    return (
        f"Publishing waited {patience:g} s for the published views, held by {named}. "
        "Nothing changed; try again later, or end it with select pg_terminate_backend(pid)."
    )
