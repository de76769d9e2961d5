"""The main job over HTTP: both sandbox systems read, and what is published is the company's truth.

The generated company is known row by row; what the two systems cannot hold of it, and how they
show what was planted, is said in `flows/sandbox/vendors/planted.py`.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import yaml

from flows.cli.demo.systems import CONNECTIONS, Sandbox
from flows.cli.prefect_server import PrefectServer
from flows.core.warehouse import connect
from flows.sandbox.assembly import make_company
from flows.sandbox.company import DEFAULT_AS_OF
from flows.sandbox.deals import LINE_CAUSES
from flows.sandbox.extract import Row
from flows.sandbox.truth import CompanyTruth
from flows.sandbox.vendors.business_central import sandbox as business_central
from flows.sandbox.vendors.pairs import customer_pairs
from flows.sandbox.vendors.planted import order_differences, row_faults
from flows.sandbox.vendors.salesforce import sandbox as salesforce
from flows.sandbox.vendors.shared.company import Company
from flows.sandbox.world import Plan, World
from tests.fixtures.postgres import forget_settings, new_database
from tests.fixtures.story import Chapter, chapter, differing

# What is linked by keys is certain; names and addresses alone are matched by weights.
BY_KEYS = {"erp_customer_id", "crm_account_id", "tax_id"}
# Amounts of a sale in another currency are rounded to the units of the one it was mistaken for, so
# that parts of what a whole order differs by may have causes of their own.
FOUND = f"""
select
    case when pair.cause = any('{{{",".join(LINE_CAUSES)}}}') then part.cause else pair.cause end,
    part.order_number, part.crm_document_number, part.erp_line_number, part.currency, part.amount
from marts.reconciliation_differences as part
inner join marts.order_reconciliation as pair using (pair_key)
where part.amount <> 0
"""


@dataclass
class Told:
    """Two runs over HTTP, and the company that the systems were filled with."""

    first: Chapter
    again: Chapter
    world: World
    truth: CompanyTruth

    def rows(self, entity: str) -> list[Row]:
        """Return the ERP's rows without the faulty documents and the orders that are gone.

        Business Central deletes an order that is cancelled.
        """
        gone = {fault.document_key for fault in self.truth.row_faults}
        for order in self.world.extract.rows(("erp", "orders")):
            if order["status"] == "cancelled":
                gone.add(str(order["order_id"]))
        found = self.world.extract.rows(("erp", entity))
        named = "invoice_id" if entity.startswith("invoice") else "order_id"
        return [row for row in found if str(row[named]) not in gone]


@pytest.fixture(scope="module")
def told(
    postgres_server: str,
    migrated_template: str,
    prefect_server: PrefectServer,
    small_company: Company,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    """Run the main job twice over both systems, on a database of its own."""
    folder = tmp_path_factory.mktemp("over_http")
    connections = folder / "connections.yaml"
    connections.write_text(yaml.safe_dump({"connections": CONNECTIONS}), "utf-8")
    with new_database(postgres_server, migrated_template) as url, ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("CONCORD_WAREHOUSE_URL", url)
        patch.setenv("CONCORD_HOME", str(folder / "home"))
        patch.setenv("CONCORD_CONNECTIONS", str(connections))
        for system, served in (
            ("salesforce", salesforce.served(small_company)),
            ("business_central", business_central.served(small_company)),
        ):
            running: Any = stack.enter_context(served)
            known = {**running.credentials, "url": running.url}
            for name, value in Sandbox(system, known).environment.items():
                patch.setenv(name, value)
        forget_settings()
        world, truth = make_company(Plan(7, 0.1, DEFAULT_AS_OF))
        yield Told(chapter(truth), chapter(truth), world, truth)
    forget_settings()


def rows(query: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_first_run_publishes_and_a_second_one_changes_nothing(told: Told) -> None:
    assert told.first.outcome == "done"
    assert told.again.outcome == "unchanged"
    assert told.again.publication == told.first.publication
    assert not differing(told.again.rows, told.first.rows)
    assert told.first.unbalanced == told.again.unbalanced == 0


def test_exactly_the_planted_faults_are_held_back(told: Told) -> None:
    planted = {(one.document_key, one.rule) for one in row_faults(told.truth)}
    held = {row["document_key"] for row in told.first.quarantine}
    assert held == {key for key, _ in planted}
    failed = rows(
        "select distinct document_key, rule from ops.failures where severity = 'critical'"
    )
    assert set(failed) == planted


def test_invoices_and_credit_memos_tie_to_the_cent(told: Told) -> None:
    found = rows(
        "select invoice_number, type, company, currency, net_amount, tax_amount, gross_amount, "
        "open_amount from marts.invoices"
    )
    assert Counter(found) == Counter(
        (
            *(row["invoice_number"], row["type"], row["company"], row["currency"]),
            *(row[one] for one in ("net_amount", "tax_amount", "gross_amount", "open_amount")),
        )
        for row in told.rows("invoices")
    )


def test_orders_are_what_was_ordered_and_rebuilt_ones_tie_to_their_invoices(told: Told) -> None:
    found = rows(
        "select order_number, company, currency, net_amount, tax_amount, is_rebuilt "
        "from marts.orders"
    )
    invoiced: Counter[str] = Counter()
    for row in told.rows("invoices"):
        if row["type"] == "invoice":
            invoiced[str(row["order_id"])] += row["tax_amount"]  # type: ignore[assignment, operator]
    expected = []
    for row in told.rows("orders"):
        is_posted = row["status"] in ("invoiced", "closed")
        # Taxes are rounded on every invoice, so that parts may differ from the whole by a cent.
        tax = invoiced[str(row["order_id"])] if is_posted else row["tax_amount"]
        head = (row["order_number"], row["company"], row["currency"], row["net_amount"])
        expected.append((*head, tax, is_posted))
    assert Counter(found) == Counter(expected)
    assert {row[-1] for row in found} == {True, False}


def test_order_lines_keep_their_numbers_quantities_and_amounts(told: Told) -> None:
    found = rows(
        "select order_number, line_number, product_number, quantity, net_amount "
        "from marts.order_lines"
    )
    assert Counter(found) == Counter(
        (
            *(row["order_id"], row["line_number"], row["product_number"]),
            *(row["quantity"], row["net_amount"]),
        )
        for row in told.rows("order_lines")
    )


def test_customers_that_both_systems_know_by_one_key_are_one(told: Told) -> None:
    ids: dict[tuple[str, str], str] = {}
    for system, key, customer in rows(
        "select source_system, source_key, customer_id from marts.customer_crosswalk "
        "where is_current"
    ):
        ids[system, key] = customer
    known = [pair for pair in customer_pairs(told.truth) if pair.link in BY_KEYS]
    assert known
    for pair in known:
        right = "salesforce" if pair.right_source == "crm" else "business_central"
        assert ids["salesforce", pair.left_key] == ids[right, pair.right_key], pair


def test_every_planted_difference_is_found_with_its_cause_and_no_other(told: Told) -> None:
    planted = Counter(
        (
            *(known.cause, known.order_number, known.crm_order_number, known.line_number),
            *(known.currency, known.difference_amount),
        )
        for known in order_differences(told.world, told.truth)
        if known.difference_amount
    )
    amounts: Counter[tuple[Any, ...]] = Counter()
    for cause, order, sale, line, currency, amount in rows(FOUND):
        amounts[cause, order, sale, line if cause in LINE_CAUSES else None, currency] += amount
    assert Counter((*key, amount) for key, amount in amounts.items()) == planted
    counted = "select cause, count(*) from marts.order_reconciliation"
    causes = dict(rows(f"{counted} where cause is not null group by 1"))
    assert causes == dict(Counter(one[0] for one in planted))
    (left,) = rows("select sum(abs(unexplained_amount)) from marts.order_reconciliation")
    assert left == (Decimal(0),)
