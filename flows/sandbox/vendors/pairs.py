"""Which records of the two servers are one customer, as far as the generator knows."""

from collections.abc import Iterator
from dataclasses import replace

from flows.sandbox.truth import CompanyTruth, CustomerPair
from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.shared.keys import guid


def customer_pairs(truth: CompanyTruth) -> Iterator[CustomerPair]:
    """Yield the planted pairs under the keys that Salesforce and Business Central give."""
    for pair in truth.customer_pairs:
        yield replace(
            pair,
            left_key=_key(pair.left_source, pair.left_key),
            right_key=_key(pair.right_source, pair.right_key),
        )


def _key(source: str, key: str) -> str:
    return salesforce_id("Account", key) if source == "crm" else guid("customers", key)
