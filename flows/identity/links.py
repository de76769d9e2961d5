"""What speaks for and against records being the same: read as it is now, from all who say so."""

from collections.abc import Iterator

from psycopg import Connection, sql

from flows.identity.constraints import Link, Node, Pair
from flows.identity.domains import Domain
from flows.identity.policies import Policy

RECORD = "source_system || '|' || entity || '|' || source_key"
# Between the conflict keys of a record on their way out of the warehouse.
SEPARATOR = "\x1f"
ROWS_PER_FETCH = 10_000


def open_sources(connection: Connection, domain: Domain, policy: Policy) -> bool:
    """Lay views of one shape over what the domain has; say whether it has records at all.

    Scores, rulings and keys may be missing: a domain without them is one without links.
    """
    columns = _columns(connection, f"{domain.singular}_records")
    if not columns:
        return False
    connection.execute(_records_view(domain, columns, policy))
    _write_terms(connection, policy)
    parts = [_key_links(connection, domain), _scores(connection, policy), _rulings(connection)]
    known = [part.format(**domain.names) for part in parts if part is not None]
    nothing = sql.SQL("select '', '', '', '', 0 where false")
    connection.execute(
        sql.SQL(
            "create or replace temporary view source_links "
            "(left_record, right_record, method, rule, probability) as {}"
        ).format(sql.SQL(" union all ").join([nothing, *known]))
    )
    return True


def _columns(connection: Connection, table: str) -> frozenset[str]:
    query = (
        "select column_name from information_schema.columns "
        "where table_schema = 'identity' and table_name = %s"
    )
    return frozenset(name for (name,) in connection.execute(query, (table,)))


def _records_view(domain: Domain, columns: frozenset[str], policy: Policy) -> sql.Composed:
    record = "record" if "record" in columns else RECORD
    keys = "array_to_string(conflict_keys, e'\\x1f')" if "conflict_keys" in columns else "null"
    merged = "merged_into is not null" if "merged_into" in columns else "false"
    # What is alike counts as one where cohesion is asked for, and makes no difference elsewhere.
    scored = sql.SQL(
        "(select features from identity.scored_records as scored "
        "where scored.domain = {domain} and scored.record = source.record)"
        if policy.asks_for_cohesion
        else "null"
    )
    text = (
        "create or replace temporary view source_records as select source.*, "
        "coalesce({face}::text, '') as face from ("
        f"select {record} as record, source_system, entity, source_key, "
        f"coalesce({keys}, '') as conflict_keys, {merged} as is_merged from {{records}}"
        ") as source"
    )
    return sql.SQL(text).format(
        face=scored.format(**domain.names),
        records=sql.Identifier("identity", f"{domain.singular}_records"),
    )


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


def _key_links(connection: Connection, domain: Domain) -> sql.SQL | None:
    for table in (f"{domain.singular}_key_links", f"{domain.singular}_links"):
        columns = _columns(connection, table)
        if not columns:
            continue
        left, right = "left_record", "right_record"
        if "left_record" not in columns:
            left, right = (_pieces(side) for side in ("left", "right"))
        return sql.SQL(
            f"select {left}, {right}, method, coalesce(rule, ''), probability::numeric(6, 5) "
            f"from identity.{table}"
        )
    return None


def _pieces(side: str) -> str:
    return f"{side}_source_system || '|' || {side}_entity || '|' || {side}_key"


def _scores(connection: Connection, policy: Policy) -> sql.SQL | None:
    if not _columns(connection, "scored_pairs"):
        return None
    lowest = "review_above" if policy.asks_for_cohesion else "accept_above"
    return sql.SQL(
        "select left_record, right_record, "
        "case when probability >= accept_above then 'model' else 'support' end, 'splink', "
        "probability::numeric(6, 5) from identity.scored_pairs inner join terms "
        "on split_part(left_record, '|', 1) = left_system "
        "and split_part(right_record, '|', 1) = right_system "
        f"where domain = {{domain}} and probability >= {lowest}"
    )


def _rulings(connection: Connection) -> sql.SQL | None:
    if not _columns(connection, "active_rulings"):
        return None
    return sql.SQL(
        "select left_record, right_record, "
        "case ruling when 'same' then 'steward' else 'different' end, "
        "'ruling', 1 from identity.active_rulings "
        "where domain = {domain} and ruling in ('same', 'different')"
    )


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
        elif link.method == "support":
            self.support.append((link.left, link.right))
        else:
            self.links.append(link)


def _rows(connection: Connection, domain: Domain, script: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    with connection.cursor(name=script) as cursor:
        cursor.itersize = ROWS_PER_FETCH
        cursor.execute(domain.written(script))
        yield from cursor
