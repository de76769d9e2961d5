"""What is matched: the records, blocks and comparisons of each domain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import Connection, sql

from flows.core.errors import MatchingError
from flows.identity.matching.comparisons import organisations, persons
from flows.identity.matching.weights import Weights, read_weights

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator

LONGEST_TERM = 200  # an index entry has its limits; longer values count as one
SEPARATOR = "\x1f"  # between the values of a list on its way into the engine


@dataclass(frozen=True)
class Domain:
    """One kind of thing that is matched."""

    name: str
    singular: str
    feature_columns: tuple[str, ...]
    comparisons: Callable[[Weights], list["ComparisonCreator"]]
    # Compared as rare_<column>, too: the values that are rare.
    rare_columns: tuple[str, ...] = ()

    @property
    def records(self) -> sql.Identifier:
        """The table of its records."""
        return sql.Identifier("identity", f"{self.singular}_records")

    @property
    def blocks(self) -> sql.Identifier:
        """The table of its blocks."""
        return sql.Identifier("identity", f"{self.singular}_blocks")


DOMAINS = {
    domain.name: domain
    for domain in (
        Domain(
            "customers",
            "customer",
            organisations.FEATURE_COLUMNS,
            organisations.comparisons,
            organisations.RARE_COLUMNS,
        ),
        Domain("contacts", "contact", persons.FEATURE_COLUMNS, persons.comparisons),
    )
}


def domain_named(name: str) -> Domain:
    """Return a domain that is matched by the model; raises MatchingError naming the known ones."""
    if name not in DOMAINS:
        raise MatchingError(
            f"{name!r} is not matched by a model; matched are {', '.join(sorted(DOMAINS))}."
        )
    return DOMAINS[name]


@dataclass(frozen=True)
class Features:
    """The columns that are compared, the ones whose frequencies weigh, and which are lists."""

    columns: tuple[str, ...]
    weighed: tuple[str, ...]
    lists: frozenset[str]

    def scalar_weighed(self) -> tuple[str, ...]:
        """Return the weighed columns that hold one value."""
        return tuple(column for column in self.weighed if column not in self.lists)

    def list_weighed(self) -> tuple[str, ...]:
        """Return the weighed columns that hold several values."""
        return tuple(column for column in self.weighed if column in self.lists)


def read_features(connection: Connection, domain: Domain, weights: Weights) -> Features:
    """Look up which columns the records have; raises MatchingError naming a missing one."""
    columns_found = connection.execute(
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'identity' and table_name = %s",
        (f"{domain.singular}_records",),
    )
    found: dict[str, str] = dict(columns_found.fetchall())
    weighed = tuple(dict.fromkeys((*weights.term_frequency_columns, *domain.rare_columns)))
    columns = tuple(dict.fromkeys((*domain.feature_columns, *weighed)))
    if missing := [column for column in columns if column not in found]:
        raise MatchingError(
            f"identity.{domain.singular}_records has no column {', '.join(missing)}, which the "
            f"comparisons of {domain.name} need; build the model, or correct {weights.path.name}."
        )
    lists = frozenset(column for column in columns if found[column] == "ARRAY")
    return Features(columns, weighed, lists)


def weights_of(domain: Domain) -> Weights:
    """Read the reviewed weights of a domain."""
    return read_weights(domain.name)
