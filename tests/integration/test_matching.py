"""Pairs that look alike are scored; what must not explode does not."""

import pytest

from flows.core.warehouse import connect
from flows.identity.matching import match
from tests.fixtures.matching import Company, create_tables, put

PAIRS = """
select left_record, right_record, probability, levels, weights
from identity.scored_pairs where domain = 'customers' order by left_record, right_record
"""


def scored(*companies: Company) -> list[tuple[str, str]]:
    """Match these records in a new warehouse and return the pairs."""
    with connect() as connection:
        create_tables(connection)
        put(connection, companies, version=1)
    match("customers", run_id=1)
    with connect() as connection:
        return [(left, right) for left, right, *_ in connection.execute(PAIRS)]


@pytest.mark.usefixtures("warehouse")
def test_records_that_look_alike_are_a_scored_pair_and_others_are_not() -> None:
    pairs = scored(
        Company("1", "Fjord Seafood", "crm", phones=("+4722334455",)),
        Company("7", "Fjord Seafoods", "erp", phones=("+4722334455",)),
        Company("8", "Fjordland Timber", "erp", city="bergen", postal_code="5003"),
    )
    assert pairs == [("crm|accounts|1", "erp|customers|7")]
