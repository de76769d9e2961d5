"""What speaks for and against records being the same: read as it is now, from all who say so."""

from collections.abc import Iterator

from psycopg import Connection

from flows.core.warehouse import exists
from flows.identity.constraints import Link, Node, Pair
from flows.identity.domains import Domain
from flows.identity.policies import Policy

# Between the conflict keys of a record on their way out of the warehouse.
SEPARATOR = "\x1f"
ROWS_PER_FETCH = 10_000


def open_sources(connection: Connection, domain: Domain, policy: Policy) -> bool:
    """Lay views of one shape over what the domain has; say whether it has records at all."""
    if not exists(connection, domain.names["records"]):
        return False
    asks_for_cohesion = policy.asks_for_cohesion
    domain.run(connection, "source_records" if asks_for_cohesion else "source_records_faceless")
    _write_terms(connection, policy)
    domain.run(connection, "source_links", finds_support=str(asks_for_cohesion))
    return True


def _write_terms(connection: Connection, policy: Policy) -> None:
    """Write down what holds between every two systems, for the scores to be read by."""
    systems = [
        name for (name,) in connection.execute("select distinct source_system from source_records")
    ]
    connection.execute(
        "create temporary table terms (left_system text, right_system text, "
        "accept_above double precision, review_above double precision) on commit drop"
    )
    with connection.cursor().copy("copy terms from stdin") as copy:
        for left in systems:
            for right in systems:
                terms = policy.between(left, right)
                copy.write_row((left, right, terms.accept_above, terms.review_above))


def read_nodes(connection: Connection, domain: Domain) -> Iterator[tuple[str, Node, str | None]]:
    """Yield the affected records that exist, in the order of their texts, with the id they hold."""
    for record, system, keys, is_merged, face, held in _rows(connection, domain, "read_nodes"):
        conflict_keys = tuple(keys.split(SEPARATOR)) if keys else ()
        yield record, Node(system, conflict_keys, is_merged, face), held


def read_homes(connection: Connection, domain: Domain) -> Iterator[tuple[str, str, int | None]]:
    """Yield the affected records with the ids they are at home in, and when each was retired."""
    yield from _rows(connection, domain, "read_homes")


class LinkReader:
    """Reads the links between affected records, as numbered nodes, into those for and against."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self._numbers = numbers
        self.links: list[Link] = []
        self.apart: list[Pair] = []
        self.clashes: list[Pair] = []
        self.support: list[Pair] = []

    def read(self, connection: Connection, domain: Domain) -> None:
        """Read all of them; what names a record that is gone says nothing."""
        for left_record, right_record, method, rule, probability in _rows(
            connection, domain, "read_links"
        ):
            left, right = self._numbers.get(left_record), self._numbers.get(right_record)
            if left is not None and right is not None:
                self._take(Link(left, right, method, rule, float(probability)))

    def _take(self, link: Link) -> None:
        if link.method == "different":
            self.apart.append((link.left, link.right))
        elif link.method == "clash":
            self.clashes.append((link.left, link.right))
        elif link.method == "support":
            self.support.append((link.left, link.right))
        else:
            self.links.append(link)


def _rows(connection: Connection, domain: Domain, script: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    with connection.cursor(name=script) as cursor:
        cursor.itersize = ROWS_PER_FETCH
        cursor.execute(domain.written(script))
        yield from cursor
