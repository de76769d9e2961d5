"""How sure the model must be, per pair of systems: the reviewed seed rules/match_policy.csv.

Whoever decides on links reads the seed table itself (`POLICY_TABLE`); the row that names most of a
pair's systems holds, '*' stands for any.
"""

from dataclasses import dataclass

from psycopg import Connection

from flows.core.errors import MatchingError

POLICY_TABLE = "staging.match_policy"


@dataclass(frozen=True)
class Policy:
    """What the policy says about a whole domain."""

    lowest_review: float
    largest_block: int


def read_policy(connection: Connection, domain: str) -> Policy:
    """Return what holds for a domain; raises MatchingError when the policy says nothing of it."""
    row = connection.execute(
        "select min(review_above), max(largest_block) filter "
        "(where left_system = '*' and right_system = '*') "
        "from staging.match_policy where domain = %s",
        (domain,),
    ).fetchone()
    if row is None or row[0] is None or row[1] is None:
        raise MatchingError(
            f"rules/match_policy.csv has no row for {domain} with '*' for both systems; add it."
        )
    return Policy(float(row[0]), int(row[1]))
