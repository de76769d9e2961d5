"""Point all published views at a slot at once, without ever holding analysts up for long."""

import random
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row

from flows.core.errors import TransientError
from flows.publishing.dependents import Outcome, SavedView, put_back, restore_rights, take_down
from flows.publishing.plan import Plan, ViewPlan
from flows.publishing.shape import MARTS

# Well under deadlock_timeout (1 s), so that it is always publishing that gives way, never a reader.
LOCK_TIMEOUT = "100ms"
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0


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

    Locks are asked for in one order and only for a moment at a time, so that readers never queue
    behind a wait. Raises TransientError naming who holds the views when patience (s) runs out.
    """
    deadline = monotonic() + patience
    pause = FIRST_PAUSE
    while True:
        holders = _older_snapshots(connection, built_at)
        if not holders:
            try:
                return _all_at_once(connection, plan)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                holders = _lock_holders(connection)
        if monotonic() + pause > deadline:
            raise TransientError(_out_of_patience(holders, patience))
        sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _all_at_once(connection: Connection, plan: Plan) -> list[Outcome]:
    with connection.transaction():
        connection.execute(sql.SQL("set local lock_timeout to {}").format(LOCK_TIMEOUT))
        breaking = {loss.table for loss in plan.losses}
        ours, theirs = take_down(connection, sorted(breaking)) if breaking else ([], [])
        saved = {view.name: view for view in ours}
        for view in plan.views:
            _make(connection, view, saved.get(view.table))
        outcomes = put_back(connection, theirs)
        connection.execute("set local lock_timeout to default")
    return outcomes


def _make(connection: Connection, view: ViewPlan, saved: SavedView | None) -> None:
    name = sql.Identifier(MARTS, view.table)
    connection.execute(sql.SQL("create or replace view {} as {}").format(name, view.query))
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
