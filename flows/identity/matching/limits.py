"""Blocks that would make too many pairs are refused, and the rule that makes them is named."""

from psycopg import sql

from flows.core.errors import MatchingError
from flows.identity.matching.changes import Scope
from flows.identity.matching.engines import Engine

MOST_PAIRS = 100_000_000


def refuse_too_many_pairs(scope: Scope, engine: Engine, most: int = MOST_PAIRS) -> None:
    """Raise MatchingError that names the rule when a run would compare too many pairs."""
    expected = engine.count(
        "select sum(members * (members - 1) / 2) "
        "from (select count(*) as members from blocks group by block) as sizes"
    )
    if expected <= most:
        return
    rule, pairs, widest = _worst_rule(scope)
    raise MatchingError(
        f"Blocks of {scope.domain.name} would make {expected:,} pairs to compare; "
        f"{most:,} are allowed. Rule {rule!r} makes {pairs:,} of all pairs, up to {widest:,} "
        "records sharing one key. Make its key more specific in "
        f"identity.{scope.domain.singular}_blocks, or lower largest_block in match_policy.csv."
    )


def _worst_rule(scope: Scope) -> tuple[str, int, int]:
    query = sql.SQL(
        "select rule, sum(members * (members - 1) / 2)::bigint, max(members) "
        "from (select rule, count(*) as members from {} group by rule, block_key "
        "having count(*) <= {}) as sizes group by rule order by 2 desc limit 1"
    ).format(scope.domain.blocks, sql.Literal(scope.largest_block))
    row = scope.connection.execute(query).fetchone()
    return (str(row[0]), int(row[1]), int(row[2])) if row else ("of no name", 0, 0)
