"""Give every group of linked records an id once, and keep it through every later change."""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import kwargs_row

from flows.core.errors import MatchingError
from flows.core.warehouse import connect
from flows.identity.domains import DOMAINS, Domain
from flows.identity.links import open_sources
from flows.identity.policies import Policy, read_policy
from flows.identity.settlement import settle

LOCK = "select pg_advisory_xact_lock(hashtext('concord.identity'))"
# Changed when the same links would be settled otherwise, so that everything is settled anew.
METHOD = "greedy-1"
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


class Basis(NamedTuple):
    """What an assignment is made from, in short, and what the last one was made from."""

    fingerprint: str
    last_fingerprint: str | None
    policy: str
    last_policy: str | None

    @property
    def is_the_same(self) -> bool:
        """Tell whether the last assignment still holds."""
        return (self.fingerprint, self.policy) == (self.last_fingerprint, self.last_policy)


def assign(run_id: int) -> dict[str, IdentityChanges]:
    """Bring the ids of every domain in line with the links, each domain in one transaction.

    Repeating it changes nothing. Ids stay with the group that holds most of their records, and go
    back to where they came from when a group falls apart again.
    """
    return {domain.name: _assign(domain, run_id) for domain in DOMAINS}


def _assign(domain: Domain, run_id: int) -> IdentityChanges:
    with connect(application="concord identity") as connection:
        connection.execute(LOCK)
        policy = read_policy(connection, domain.name)
        if not open_sources(connection, domain, policy):
            return IdentityChanges()
        basis = _basis(connection, domain, policy)
        if not basis.is_the_same:
            _bring_in_line(connection, domain, policy, basis, run_id)
        return _changes(connection, domain, was_idle=basis.is_the_same)


def _basis(connection: Connection, domain: Domain, policy: Policy) -> Basis:
    row = domain.run(connection, "fingerprint").fetchone()
    if row is None:
        raise MatchingError("The warehouse does not say what identity is based on; run it again.")
    rules = f"{METHOD} {sorted(policy.rows.items())}"
    return Basis(row[0], row[1], sha256(rules.encode()).hexdigest(), row[2])


def _bring_in_line(
    connection: Connection, domain: Domain, policy: Policy, basis: Basis, run_id: int
) -> None:
    if basis.last_fingerprint is None:
        domain.run(connection, "fill_anew")
    domain.run(connection, "find_changes", run_id=run_id)
    settle_all = basis.policy != basis.last_policy or _changes_much(connection)
    domain.run(connection, "affect_all" if settle_all else "affect_connected")
    settle(connection, domain, policy, run_id)
    for script in ("write_crosswalk", "retire_and_restore", "keep_homes", "point_ids"):
        domain.run(connection, script)
    domain.run(connection, "write_events")
    domain.run(connection, "write_blocked_links")
    if settle_all:
        domain.run(connection, "analyze")
    connection.execute(
        "insert into identity.assignments (domain, fingerprint, policy, run_id) "
        "values (%s, %s, %s, %s) on conflict (domain) do update set "
        "fingerprint = excluded.fingerprint, policy = excluded.policy, "
        "run_id = excluded.run_id, assigned_at = now()",
        (domain.name, basis.fingerprint, basis.policy, run_id),
    )


def _changes_much(connection: Connection) -> bool:
    seeds = _count(connection, "select count(*) from seeds")
    return seeds > LARGE_SHARE * _count(connection, "select count(*) from source_records")


def _changes(connection: Connection, domain: Domain, *, was_idle: bool) -> IdentityChanges:
    script = domain.written("count_idle" if was_idle else "count_changes")
    with connection.cursor(row_factory=kwargs_row(IdentityChanges)) as cursor:
        return cursor.execute(script).fetchone() or IdentityChanges()


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
