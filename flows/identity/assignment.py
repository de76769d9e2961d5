"""Give every group of linked records a customer id once, and keep it through every later change."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from psycopg import Connection

from flows.core.warehouse import connect
from flows.identity.components import Components

LOCK = "select pg_advisory_xact_lock(hashtext('concord.identity'))"
EDGES_PER_FETCH = 10_000


@dataclass(frozen=True)
class IdentityChanges:
    """What one assignment changed, in numbers."""

    records: int
    customers: int
    created: int
    merged: int
    retired: int
    restored: int
    changed_records: int

    @property
    def is_unchanged(self) -> bool:
        """True when nothing in the crosswalk changed."""
        return self.changed_records == 0


def assign_customers(run_id: int) -> IdentityChanges:
    """Bring the crosswalk in line with the links, in one transaction; repeating it changes nothing.

    Ids stay with the group that holds most of their records, older ids before younger ones.
    """
    with connect(application="concord identity") as connection:
        connection.execute(LOCK)
        _run(connection, "group_records")
        _name_components(connection)
        _run(connection, "claim_ids")
        _award(connection, "current")
        _award(connection, "former")
        _run(connection, "create_ids")
        connection.execute("select set_config('concord.run_id', %s, true)", (str(run_id),))
        _run(connection, "write_crosswalk")
        return _changes(connection)


def _run(connection: Connection, script: str) -> None:
    statements = (files("flows.identity") / "sql" / f"{script}.sql").read_text(encoding="utf-8")
    connection.execute(statements.encode())


def _name_components(connection: Connection) -> None:
    """Tell every linked record its component: the union-find is the one step SQL is slow at."""
    components = Components(_count(connection, "select count(*) from linked_nodes"))
    components.join(_edges(connection))
    with connection.cursor().copy("copy node_components (node, component) from stdin") as copy:
        for node, component in components:
            copy.write_row((node, component))
    _run(connection, "gather_members")


def _edges(connection: Connection) -> Iterator[tuple[int, int]]:
    with connection.cursor(name="identity_edges") as cursor:
        cursor.itersize = EDGES_PER_FETCH
        cursor.execute("select left_node, right_node from numbered_links")
        yield from cursor


def _award(connection: Connection, standing: str) -> None:
    """Give ids to components until no claim is left; a round settles the best claims at once."""
    best_claims = (files("flows.identity") / "sql" / "award_ids.sql").read_text(encoding="utf-8")
    while connection.execute(best_claims.encode(), {"standing": standing}).rowcount > 0:
        continue


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _changes(connection: Connection) -> IdentityChanges:
    return IdentityChanges(
        records=_count(connection, "select count(*) from members"),
        customers=_count(connection, "select count(*) from awards"),
        created=_count(connection, "select count(*) from created_ids"),
        merged=_count(connection, "select count(*) from retired_ids where merged_into is not null"),
        retired=_count(connection, "select count(*) from retired_ids"),
        restored=_count(connection, "select count(*) from restored_ids"),
        changed_records=_count(connection, "select count(*) from changed_records"),
    )
