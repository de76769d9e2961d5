"""Pairs that look alike are scored; what must not explode does not."""

from dataclasses import replace
from math import log2

import pytest

from flows.core.errors import MatchingError
from flows.core.warehouse import connect
from flows.identity.matching import MatchChanges, limits, match
from tests.fixtures.matching import (
    Company,
    company_domain,
    create_tables,
    put,
    small_weights,
)

PAIRS = "select left_record, right_record from identity.scored_pairs order by 1, 2"


def matched(*companies: Company) -> MatchChanges:
    """Match these records in a new warehouse."""
    with connect() as connection:
        create_tables(connection)
        put(connection, companies, version=1)
    return match(company_domain(), 1, weights=small_weights(0.001))


def pairs() -> list[tuple[str, str]]:
    with connect() as connection:
        return connection.execute(PAIRS).fetchall()


@pytest.mark.usefixtures("warehouse")
def test_records_that_look_alike_are_a_scored_pair_and_others_are_not() -> None:
    matched(
        Company("1", "Fjord Seafood", "crm", phones=("+4722334455",)),
        Company("7", "Fjord Seafoods", "erp", phones=("+4722334455",)),
        Company("8", "Fjordland Timber", "erp", city="bergen", postal_code="5003"),
    )
    assert pairs() == [("crm|accounts|1", "erp|customers|7")]
    with connect() as connection:
        levels, weights, weight = connection.execute(
            "select levels, weights, match_weight from identity.scored_pairs"
        ).fetchall()[0]
    assert levels["name"] == "nearly the same"
    assert levels["phone"] == "same and rare"
    prior = log2(1 / 511)  # odds of one in 512, the power of two below the prior's population
    assert weight == pytest.approx(sum(weights.values()) + prior, abs=0.001)


@pytest.mark.usefixtures("warehouse")
def test_five_thousand_identical_records_are_compared_once_and_linked_to_the_first() -> None:
    clone = Company("0", "Fjord Seafood", phones=("+4722334455",))
    changes = matched(clone)
    with connect() as connection:
        for table in ("records", "blocks"):
            connection.execute(
                f"create temporary table copied as select * from identity.customer_{table};"
                f"alter table copied drop column record".encode()
            )
            columns = [c.name for c in connection.execute("select * from copied").description or ()]
            connection.execute(
                f"insert into identity.customer_{table} (record, {', '.join(columns)}) "
                "select 'crm|accounts|' || n, copied.* from copied, generate_series(1, 4999) as n; "
                "drop table copied".encode()
            )
    changes = match(company_domain(), 2, weights=small_weights(0.001))
    assert (changes.records, changes.compared_pairs, changes.scored_pairs) == (5000, 1, 4999)
    assert changes.refused_blocks == 0


@pytest.mark.usefixtures("warehouse")
def test_a_value_that_many_different_records_share_makes_no_pairs_and_says_so() -> None:
    town = [Company(str(n), f"{chr(97 + n % 26)}{n} Trading") for n in range(201)]
    changes = matched(*town)
    with connect() as connection:
        refused = connection.execute(
            "select rule, block_key, records, pairs, reason from identity.refused_blocks"
        ).fetchall()
    reason = "201 different records share it; at most 200 may"
    assert refused == [("postal_code", "0150", 201, 20100, reason)]
    assert changes.compared_pairs < 201


@pytest.mark.usefixtures("warehouse")
def test_names_of_any_kind_are_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["🦊🦊 Ltd", "شركة البحر", "x", "y" * 10_000, 'a "b", c\n\\d', "", None]
    matched(*[Company(str(n), name, phones=("+47" + str(n),)) for n, name in enumerate(names)])
    twins = [
        Company(f"t{n}", name, "erp", phones=("+47" + str(n),)) for n, name in enumerate(names)
    ]
    with connect() as connection:
        put(connection, [twin for twin in twins if twin.name], version=2)
    match(company_domain(), 2, weights=small_weights(0.001))
    linked = {(left, right) for left, right in pairs() if left[-1] == right[-1]}
    assert linked == {(f"crm|accounts|{n}", f"erp|customers|t{n}") for n in range(5)}


@pytest.mark.usefixtures("warehouse")
def test_blocks_that_would_make_too_many_pairs_are_refused_with_the_rule_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits.refuse_too_many_pairs, "__defaults__", (3,))
    town = [Company(str(n), f"{chr(97 + n)} Trading") for n in range(4)]
    with pytest.raises(
        MatchingError, match=r"6 pairs to compare; 3 are allowed\. Rule 'postal_code'"
    ):
        matched(*town)
    assert pairs() == []


@pytest.mark.usefixtures("warehouse")
def test_an_empty_warehouse_and_deleted_records_have_no_pairs() -> None:
    gone = replace(Company("1", "Fjord"), is_deleted=True)
    changes = matched(gone, Company("2", "Fjord"))
    assert (changes.records, changes.scored_pairs) == (1, 0)
