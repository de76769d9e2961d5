"""Give every group of linked records an id once, and keep it through every later change."""

from dataclasses import dataclass
from hashlib import sha256

from psycopg import Connection
from psycopg.rows import kwargs_row

from flows.core.warehouse import connect
from flows.identity.domains import DOMAINS, Domain
from flows.identity.links import open_sources
from flows.identity.policies import Policy, read_policy
from flows.identity.settlement import settle

LOCK = "select pg_advisory_xact_lock(hashtext('concord.identity'))"
# What is put together on the way is looked at once or twice: a small sample of it is enough.
PLANNING = "set local default_statistics_target = 10"
# Changed when the same links would be settled otherwise, so that everything is settled anew.
METHOD = "greedy-2"
# When more than this share of the records changed, looking for what is affected costs more.
LARGE_SHARE = 0.2


@dataclass(frozen=True)
class IdentityChanges:
    """What one assignment changed in one domain, in numbers."""

    records: int = 0
    ids: int = 0
    affected_records: int = 0
    changed_records: int = 0
    created: int = 0
    merged: int = 0
    split: int = 0
    restored: int = 0
    retired: int = 0
    blocked_links: int = 0

    @property
    def is_unchanged(self) -> bool:
        """True when nothing in the crosswalk changed."""
        return self.changed_records == 0


def assign(run_id: int) -> dict[str, IdentityChanges]:
    """Bring the ids of every domain in line with the links, each domain in one transaction.

    Repeating it changes nothing. Ids stay with the group that holds most of their records, and go
    back to where they came from when a group falls apart again.
    """
    return {domain.name: _assign(domain, run_id) for domain in DOMAINS}


def _assign(domain: Domain, run_id: int) -> IdentityChanges:
    with connect(application="concord identity") as connection:
        connection.execute(LOCK)
        connection.execute(PLANNING)
        policy = read_policy(connection, domain.name)
        if not open_sources(connection, domain, policy):
            return IdentityChanges()
        last_policy = _last_policy(connection, domain)
        if last_policy is None:
            domain.run(connection, "fill_anew")
        domain.run(connection, "find_changes", run_id=run_id)
        seeds, said = _count(connection, "select count(*) from seeds"), _in_short(policy)
        is_idle = seeds == 0 and said == last_policy
        if not is_idle:
            settle_all = said != last_policy or _is_much(connection, seeds)
            _bring_in_line(connection, domain, policy, run_id, settle_all=settle_all)
            _remember(connection, domain, said, run_id)
        return _changes(connection, domain, was_idle=is_idle)


def _last_policy(connection: Connection, domain: Domain) -> str | None:
    query = "select policy from identity.assignments where domain = %s"
    row = connection.execute(query, (domain.name,)).fetchone()
    return str(row[0]) if row else None


def _in_short(policy: Policy) -> str:
    return sha256(f"{METHOD} {sorted(policy.rows.items())}".encode()).hexdigest()


def _bring_in_line(
    connection: Connection, domain: Domain, policy: Policy, run_id: int, *, settle_all: bool
) -> None:
    domain.run(connection, "affect_all" if settle_all else "affect_connected")
    settle(connection, domain, policy, run_id)
    for script in (
        "write_crosswalk",
        "retire_and_restore",
        "keep_homes",
        "point_ids",
        "write_events",
        "write_blocked_links",
    ):
        domain.run(connection, script)
    if settle_all:
        domain.run(connection, "analyze")


def _remember(connection: Connection, domain: Domain, policy: str, run_id: int) -> None:
    connection.execute(
        "insert into identity.assignments (domain, policy, run_id) values (%s, %s, %s) "
        "on conflict (domain) do update set policy = excluded.policy, run_id = excluded.run_id, "
        "assigned_at = now()",
        (domain.name, policy, run_id),
    )


def _is_much(connection: Connection, seeds: int) -> bool:
    return seeds > LARGE_SHARE * _count(connection, "select count(*) from source_records")


def _changes(connection: Connection, domain: Domain, *, was_idle: bool) -> IdentityChanges:
    script = domain.written("count_idle" if was_idle else "count_changes")
    with connection.cursor(row_factory=kwargs_row(IdentityChanges)) as cursor:
        return cursor.execute(script).fetchone() or IdentityChanges()


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
