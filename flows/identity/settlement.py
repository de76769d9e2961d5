"""Settle which affected record gets which id, and hand it to the warehouse."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection

from flows.identity.awards import Past, award
from flows.identity.clusters import Clusters, Evidence, cluster
from flows.identity.constraints import Node
from flows.identity.domains import Domain
from flows.identity.links import LinkReader, read_homes, read_nodes
from flows.identity.policies import Policy

SETTLED = """
create temporary table settled (
    record text collate "C" primary key,
    id text not null,
    method text not null,
    rule text,
    probability numeric(6, 5) not null
) on commit drop
"""
BLOCKED = """
create temporary table blocked_now (
    left_record text collate "C" not null,
    right_record text collate "C" not null,
    method text not null,
    rule text,
    probability numeric(6, 5) not null,
    reason text not null,
    blocked_by text not null
) on commit drop
"""


@dataclass(frozen=True)
class Affected:
    """The affected records that exist, numbered in the order of their texts."""

    records: list[str]
    nodes: list[Node]
    held: dict[int, str]
    numbers: dict[str, int]


def settle(connection: Connection, domain: Domain, policy: Policy, run_id: int) -> None:
    """Cluster the affected records, award ids, and write both into tables of the transaction."""
    affected = _read_affected(connection, domain)
    reader = LinkReader(affected.numbers)
    reader.read(connection, domain)
    clusters = cluster(
        Evidence(
            affected.records,
            affected.nodes,
            reader.links,
            reader.apart,
            reader.clashes,
            reader.support,
            policy,
        )
    )
    ids = award(clusters.labels, _past(connection, domain, affected))
    ids |= _create_ids(connection, domain, _without_id(clusters, ids), run_id)
    _write_settled(connection, affected, clusters, ids)
    _write_blocked(connection, affected, clusters)


def _read_affected(connection: Connection, domain: Domain) -> Affected:
    affected = Affected([], [], {}, {})
    for number, (record, node, held) in enumerate(read_nodes(connection, domain)):
        affected.records.append(record)
        affected.nodes.append(node)
        affected.numbers[record] = number
        if held is not None:
            affected.held[number] = held
    return affected


def _past(connection: Connection, domain: Domain, affected: Affected) -> Past:
    homes: dict[int, list[str]] = {}
    retired: dict[str, int] = {}
    for record, home, retired_at in read_homes(connection, domain):
        number = affected.numbers.get(record)
        if number is not None:
            homes.setdefault(number, []).append(home)
            if retired_at is not None:
                retired[home] = retired_at
    if not retired:
        return Past(affected.held, homes)
    counted = domain.run(connection, "count_elsewhere")
    elsewhere: dict[str, int] = dict(counted.fetchall())
    return Past(affected.held, homes, retired, elsewhere)


def _without_id(clusters: Clusters, ids: dict[int, str]) -> list[int]:
    """Return the clusters left without an id, in the order of their first records."""
    return [
        label
        for number, label in enumerate(clusters.labels)
        if number == label and label not in ids
    ]


def _create_ids(
    connection: Connection, domain: Domain, labels: list[int], run_id: int
) -> dict[int, str]:
    domain.run(connection, "create_ids", prefix=domain.prefix, count=len(labels), run_id=run_id)
    created = connection.execute("select id from created_ids order by place")
    return {label: new_id for label, (new_id,) in zip(labels, created, strict=True)}


def _write_settled(
    connection: Connection, affected: Affected, clusters: Clusters, ids: dict[int, str]
) -> None:
    connection.execute(SETTLED)
    with connection.cursor().copy("copy settled from stdin") as copy:
        for row in _settled_rows(affected, clusters, ids):
            copy.write_row(row)


def _settled_rows(
    affected: Affected, clusters: Clusters, ids: dict[int, str]
) -> Iterator[tuple[str, str, str, str | None, float]]:
    for number, record in enumerate(affected.records):
        link = clusters.strongest.get(number)
        reason = (link.method, link.rule, link.probability) if link else ("singleton", None, 1)
        yield (record, ids[clusters.labels[number]], *reason)


def _write_blocked(connection: Connection, affected: Affected, clusters: Clusters) -> None:
    connection.execute(BLOCKED)
    with connection.cursor().copy("copy blocked_now from stdin") as copy:
        for link, refusal in clusters.blocked:
            left, right = sorted((link.left, link.right))
            records = affected.records[left], affected.records[right]
            copy.write_row((*records, link.method, link.rule, link.probability, *refusal))
