"""The reviewed policy of matching: what is accepted, and how many may share an id."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from psycopg import Connection, sql

from flows.core.warehouse import exists

ANY = "*"
FLIPPED = {"many_to_one": "one_to_many", "one_to_many": "many_to_one"}


@dataclass(frozen=True)
class Terms:
    """What holds between two systems, read from left to right."""

    accept_above: float = 0.95
    review_above: float = 0.5
    cardinality: str = "many_to_many"
    least_cohesion: float = 0.0

    def flipped(self) -> "Terms":
        """Return the same terms read from right to left."""
        cardinality = FLIPPED.get(self.cardinality, self.cardinality)
        return Terms(self.accept_above, self.review_above, cardinality, self.least_cohesion)


class Policy:
    """The terms of every pair of systems, in either order; the most specific row holds."""

    def __init__(self, rows: Iterable[tuple[str, str, Terms]] = ()) -> None:
        self.rows = {(left, right): terms for left, right, terms in rows}
        self.between = cache(self._between)

    @property
    def limits_counts(self) -> bool:
        """Tell whether any pair of systems limits how many records may share an id."""
        return any(terms.cardinality != "many_to_many" for terms in self.rows.values())

    @property
    def asks_for_cohesion(self) -> bool:
        """Tell whether any pair of systems asks that clusters be supported by several pairs."""
        return any(terms.least_cohesion > 0 for terms in self.rows.values())

    def _between(self, left: str, right: str) -> Terms:
        for one, other in ((left, right), (left, ANY), (ANY, right), (ANY, ANY)):
            if found := self.rows.get((one, other)):
                return found
            if found := self.rows.get((other, one)):
                return found.flipped()
        return Terms()


def read_policy(connection: Connection, domain: str) -> Policy:
    """Read the seed match_policy as last loaded; before that, the defaults hold."""
    table = sql.Identifier("staging", "match_policy")
    if not exists(connection, table):
        return Policy()
    query = sql.SQL(
        "select left_system, right_system, accept_above::float8, review_above::float8, "
        "cardinality, least_cohesion::float8 from {} where domain = %s "
        "order by left_system, right_system"
    ).format(table)
    return Policy(
        (left, right, Terms(*terms)) for left, right, *terms in connection.execute(query, (domain,))
    )
