"""The pairs that a person should look at, the most valuable first, with all it takes to decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from flows.core.warehouse import exists
from flows.identity.domains import DOMAINS, Domain
from flows.identity.policies import read_policy
from flows.identity.rulings import Pair, compared_values, domain_named, has_records

CLASHES = """
    union all
    select
        left_record,
        right_record,
        'the same ' || rule || ', but ' || reason,
        2
    from {table}
"""
VALUES = {
    "customers": "select customer_id as id, lifetime_net_amount_reporting as value from {mart}",
}
NO_VALUES = "select null::text as id, null::numeric as value where false"
REOPENED = 1  # as the script says
EARLIER = """
    select ruling, decided_by, decided_at, reason, compared from ops.decisions
    where domain = %s and left_record = %s and right_record = %s and status = 'reopened'
"""


@dataclass(frozen=True)
class Doubt:
    """Two records that may be the same, and what speaks for it and against it."""

    domain: str
    left_record: str
    right_record: str
    why: tuple[str, ...]
    left: Mapping[str, Any]
    right: Mapping[str, Any]
    left_id: str | None = None
    right_id: str | None = None
    probability: float | None = None
    match_weight: float | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    value: Decimal | None = None
    earlier: Mapping[str, Any] | None = None

    @property
    def pair(self) -> Pair:
        """What a ruling on it names."""
        return (self.domain, self.left_record, self.right_record)


@dataclass(frozen=True)
class Batch:
    """The doubts to show now, and how many wait in all."""

    doubts: tuple[Doubt, ...]
    waiting: int


def doubtful_pairs(
    connection: Connection,
    *,
    domain: str | None = None,
    limit: int | None = None,
    seen: Collection[Pair] = (),
) -> Batch:
    """Return the most valuable doubts that nobody has ruled on, leaving out the pairs seen."""
    domains = [domain_named(domain)] if domain else list(DOMAINS)
    found = [
        row
        for one in domains
        if has_records(connection, one)
        for row in _rows(connection, one, limit, [pair for pair in seen if pair[0] == one.name])
    ]
    found.sort(key=lambda row: (row["value"] is None, -(row["value"] or 0)))
    waiting = {row["domain"]: row["waiting"] for row in found}
    chosen = found[:limit]
    return Batch(tuple(_detailed(connection, chosen)), sum(waiting.values()))


def _rows(
    connection: Connection, domain: Domain, limit: int | None, seen: list[Pair]
) -> list[dict[str, Any]]:
    parameters = _terms(connection, domain) | {
        "limit": limit,
        "seen_lefts": [left for _, left, _ in seen],
        "seen_rights": [right for _, _, right in seen],
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_query(connection, domain), parameters).fetchall()


def _query(connection: Connection, domain: Domain) -> sql.Composed:
    clashes = sql.Identifier("identity", f"{domain.singular}_key_clashes")
    mart = sql.Identifier("marts", domain.name)
    values = VALUES.get(domain.name) if exists(connection, mart) else None
    text = (files("flows.identity") / "sql" / "doubtful_pairs.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(
        **domain.names,
        clashes=sql.SQL(CLASHES if exists(connection, clashes) else "").format(table=clashes),
        values=sql.SQL(values or NO_VALUES).format(mart=mart),
    )


def _terms(connection: Connection, domain: Domain) -> dict[str, object]:
    """Return between which probabilities each pair of systems is for a person to decide."""
    policy = read_policy(connection, domain.name)
    systems = connection.execute(
        "select distinct split_part(left_record, '|', 1), split_part(right_record, '|', 1) "
        "from identity.scored_pairs where domain = %s",
        (domain.name,),
    ).fetchall()
    terms = [policy.between(left, right) for left, right in systems]
    return {
        "left_systems": [left for left, _ in systems],
        "right_systems": [right for _, right in systems],
        "reviews": [one.review_above for one in terms],
        "accepts": [one.accept_above for one in terms],
    }


def _detailed(connection: Connection, rows: list[dict[str, Any]]) -> list[Doubt]:
    shown: dict[Pair, Mapping[str, Any]] = {}
    for domain in DOMAINS:
        pairs = [(r["left_record"], r["right_record"]) for r in rows if r["domain"] == domain.name]
        if pairs:
            shown |= compared_values(connection, domain, pairs)
    return [_doubt(connection, row, shown) for row in rows]


def _doubt(
    connection: Connection, row: dict[str, Any], shown: Mapping[Pair, Mapping[str, Any]]
) -> Doubt:
    pair: Pair = (row["domain"], row["left_record"], row["right_record"])
    compared = shown.get(pair, {})
    return Doubt(
        domain=row["domain"],
        left_record=row["left_record"],
        right_record=row["right_record"],
        why=tuple(row["why"]),
        left=compared.get("left", {}),
        right=compared.get("right", {}),
        left_id=row["left_id"],
        right_id=row["right_id"],
        probability=row["probability"],
        match_weight=row["match_weight"],
        levels=row["levels"],
        weights=row["weights"],
        value=row["value"],
        earlier=_earlier(connection, pair) if row["urgency"] == REOPENED else None,
    )


def _earlier(connection: Connection, pair: Pair) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(EARLIER, pair).fetchone()
