"""What is left unscored could not have been a pair: no pair weighs more than its bound."""

from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest

from flows.identity.matching.bounds import SLOW, most
from flows.identity.matching.domains import DOMAINS, Features
from flows.identity.matching.duck import DuckEngine
from flows.identity.matching.scoring import Model
from flows.identity.matching.weights import read_weights

POPULATION = 18
LISTS = frozenset({"name_words", "phones", "addresses", "phone_ends", "customer_keys"})
WORDS = ("fjord", "fjords", "seafood", "seafods", "timber", "holdings", "tim", "2", "b")
VALUES = {
    "birth_date": ("1980-01-02", "1980-02-01", "1981-01-02", "1950-01-02"),
    "national_id": ("12345678", "12345679", "a2345678", "99999999"),
    "house_number": ("1", "2b"),
    "postal_code": ("0150", "0151", "5003"),
}


def records(columns: tuple[str, ...], count: int) -> Iterator[dict[str, Any]]:
    """Make up records of few values, so that every level holds of some pair."""
    random = Random(7)
    for _ in range(count):
        words = random.sample(WORDS, random.randint(1, 3))
        record: dict[str, Any] = {}
        for column in columns:
            chosen = random.sample(VALUES.get(column, WORDS), random.randint(1, 2))
            value = sorted(chosen) if column in LISTS else chosen[0]
            record[column] = None if random.random() < 0.2 else value
        names = {"normalised_name": " ".join(words), "joined_name": "".join(words)}
        yield record | {
            k: v for k, v in {**names, "name_words": sorted(words)}.items() if k in record
        }


def filled(columns: tuple[str, ...], rare: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
    """Return a database with a table of all pairs of such records, and the masks of their lists."""
    connection = duckdb.connect()
    kinds = [f"{name} varchar{'[]' if name in LISTS else ''}" for name in columns]
    connection.execute(f"create table features ({', '.join(kinds)})")
    marks = ", ".join("?" for _ in columns)
    rows = [[*record.values()] for record in records(columns, 60)]
    connection.executemany(f"insert into features values ({marks})", rows)
    sides = [f"{side}.{name} as {name}_{side}" for name in columns for side in "lr"]
    sides += [f"{side}.{name} as rare_{name}_{side}" for name in rare for side in "lr"]
    sides += [
        f"{DuckEngine.mask(name).replace(name, f'{side}.{name}')} as mask_{rarity}{name}_{side}"
        for name in LISTS & {*columns}
        for rarity in ("", "rare_")
        for side in "lr"
    ]
    connection.execute(
        f"create table pairs as select {', '.join(sides)} from features as l, features as r"
    )
    return connection


@pytest.mark.parametrize("masked", [LISTS | {f"rare_{name}" for name in LISTS}, frozenset()])
@pytest.mark.parametrize("name", DOMAINS)
def test_no_comparison_adds_more_than_its_bound(name: str, masked: frozenset[str]) -> None:
    domain = DOMAINS[name]
    features = Features(domain.feature_columns, (), LISTS)
    model = Model(domain, read_weights(name), features, POPULATION, 0.5)
    connection = filled(domain.feature_columns, domain.rare_columns)
    for comparison in model.compared("duckdb"):
        chain = [
            f"when {level.sql_condition} then {level._match_weight}"
            for level in comparison.comparison_levels[:-1]
        ]
        last = comparison.comparison_levels[-1]._match_weight
        weight = f"case {' '.join(chain)} else {last} end"
        bound = most(comparison, 2.0 ** (1 - POPULATION), "duckdb", masked)
        exceeded, differing = connection.execute(
            f"select count(*) filter ({weight} > {bound} + 1e-9), count(distinct {weight}) "
            "from pairs"
        ).fetchall()[0]
        assert exceeded == 0, comparison.output_column_name
        assert differing > 1, comparison.output_column_name


@pytest.mark.parametrize("name", DOMAINS)
def test_a_bound_asks_nothing_slow(name: str) -> None:
    model = Model(DOMAINS[name], read_weights(name), Features((), (), LISTS), POPULATION, 0.5)
    for comparison in model.compared("duckdb"):
        bound = most(comparison, 2.0 ** (1 - POPULATION), "duckdb").lower()
        assert not [function for function in SLOW if function in bound]


def test_a_value_that_is_rare_enough_counts_fully() -> None:
    weights = read_weights("customers")
    model = Model(DOMAINS["customers"], weights, Features((), (), LISTS), POPULATION, 0.5)
    name = model.compared("duckdb")[0]
    same = weights.of("name", "same")
    usual, rare = (most(name, rarest, "duckdb") for rarest in (same.random_probability, 2.0**-17))
    assert usual != rare
