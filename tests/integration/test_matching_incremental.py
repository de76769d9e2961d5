"""Scoring only what changed gives what scoring everything gives, whatever changed."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows.core.warehouse import connect
from flows.identity.matching import MatchChanges, match
from tests.fixtures.matching import (
    Company,
    company_domain,
    create_tables,
    put,
    remove,
    small_weights,
)

KEYS = st.sampled_from([str(number) for number in range(9)])
COMPANIES = st.builds(
    Company,
    key=KEYS,
    name=st.sampled_from(
        ["Fjord Seafood", "Fjord Seafoods", "Fjordland", "Nordic Timber", "Nordic Timbers", None]
    ),
    system=st.sampled_from(["crm", "erp"]),
    city=st.sampled_from(["oslo", "bergen", None]),
    postal_code=st.sampled_from(["0150", "5003", None]),
    phones=st.sampled_from([(), ("+4722334455",), ("+4722334455", "+4755667788")]),
    is_deleted=st.sampled_from([False, False, False, True]),
)
STEPS = st.lists(
    st.tuples(st.lists(COMPANIES, max_size=6), st.lists(COMPANIES, max_size=3)),
    min_size=2,
    max_size=4,
)
STATE = [
    f"select domain, {columns} from identity.{table} order by 1, 2, 3"
    for table, columns in {
        "scored_pairs": "left_record, right_record, match_weight, probability, levels, weights",
        "refused_blocks": "block, rule, block_key, records, pairs, reason",
        "term_frequencies": "term, records",
        "scored_records": "record, features, terms",
    }.items()
]
FORGET = (
    "truncate identity.scored_pairs, identity.scored_records, identity.term_frequencies, "
    "identity.refused_blocks, identity.scored_runs"
)


def state() -> list[list[tuple[Any, ...]]]:
    with connect() as connection:
        return [connection.execute(query.encode()).fetchall() for query in STATE]


def apply(changed: Sequence[Company], gone: Sequence[Company], version: int) -> MatchChanges:
    with connect() as connection:
        remove(connection, gone)
        put(connection, changed, version)
    return match(company_domain(), version, weights=small_weights())


@pytest.mark.usefixtures("warehouse")
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS)
def test_any_stream_of_changes_ends_with_the_scores_of_a_full_scoring(
    steps: list[tuple[list[Company], list[Company]]],
) -> None:
    with connect() as connection:
        create_tables(connection)
        connection.execute(FORGET)
        connection.execute("truncate identity.customer_records, identity.customer_blocks")
        connection.execute("update staging.match_policy set largest_block = 4, review_above = 0.01")
    for version, (changed, gone) in enumerate(steps, start=1):
        apply(changed, gone, version)
    step_by_step = state()
    with connect() as connection:
        connection.execute(FORGET)
    assert match(company_domain(), len(steps), weights=small_weights()).is_full
    assert state() == step_by_step


@pytest.mark.usefixtures("warehouse")
def test_a_run_without_changes_compares_nothing_and_rewrites_nothing() -> None:
    with connect() as connection:
        create_tables(connection)
    companies = [Company("1", "Fjord Seafood"), Company("7", "Fjord Seafoods", "erp")]
    first = apply(companies, [], version=1)
    second = apply([], [], version=2)
    assert (first.compared_pairs, first.scored_pairs) == (1, 1)
    assert (second.is_full, second.affected_records, second.compared_pairs) == (False, 0, 0)
    with connect() as connection:
        versions = connection.execute("select version from identity.scored_pairs").fetchall()
    assert versions == [(1,)]


@pytest.mark.usefixtures("warehouse")
def test_other_weights_score_everything_anew() -> None:
    with connect() as connection:
        create_tables(connection)
        put(connection, [Company("1", "Fjord"), Company("7", "Fjord", "erp")], version=1)
    assert match(company_domain(), 1, weights=small_weights(0.2)).is_full
    assert not match(company_domain(), 2, weights=small_weights(0.2)).is_full
    changed = match(company_domain(), 3, weights=small_weights(0.1))
    assert (changed.is_full, changed.compared_pairs, changed.scored_pairs) == (True, 1, 1)
