"""What the marts promise: the money rules, integrity with staging, and unified sites."""

from datetime import date, timedelta

import pytest
import yaml

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.errors import TransformationError
from flows.core.settings import settings
from flows.core.warehouse import connect
from tests.integration.staged import Company, create_staging, new_run, stage

INTEGRITY = [
    "no_order_is_lost_in_marts",
    "no_order_line_is_lost_in_marts",
    "no_invoice_is_lost_in_marts",
    "no_invoice_line_is_lost_in_marts",
    "no_return_line_is_lost_in_marts",
    "order_lines_sum_to_their_orders",
    "customers_carry_the_sums_of_their_documents",
    "documents_name_known_customers",
]


def build() -> None:
    run_dbt(["run", "--select", "path:models/identity"])
    identity.assign(1)
    run_dbt(["run", "--select", "path:models/marts"], slot="a")


def test_every_money_and_identity_rule_holds_in_its_dbt_unit_test(warehouse: str) -> None:
    create_staging()
    build()
    rules = ["test_type:unit,path:models/marts", "test_type:unit,path:models/identity"]
    run_dbt(["test", "--select", *rules], slot="a")


def test_marts_tie_out_with_staging_and_a_lost_row_is_noticed(warehouse: str) -> None:
    create_staging()
    Company(seed=3).change(new_run(), 400)
    build()
    run_dbt(["test", "--select", *INTEGRITY], slot="a")
    with connect() as connection:
        lost = connection.execute(
            "delete from marts_a.order_lines where order_line_id = "
            "(select min(order_line_id) from marts_a.order_lines)"
        )
    assert lost.rowcount > 0
    with pytest.raises(TransformationError, match="no_order_line_is_lost_in_marts"):
        run_dbt(["test", "--select", *INTEGRITY], slot="a")


def test_identical_billing_and_shipping_addresses_are_one_site_with_both_roles(
    warehouse: str,
) -> None:
    create_staging()
    run_id = new_run()
    stage("customers", "erp", run_id, customer_id="c1", name="Firma")
    site = {"customer_id": "c1", "city": "Oslo", "country": "NO"}
    for key, role, street, postal_code in (
        ("1", "billing", "Storgata 1", "0150"),
        ("2", "shipping", "STORGATA 1.", "N-0150"),
        ("3", "shipping", "Storgata 2", "0150"),
    ):
        place = {"street": street, "postal_code": postal_code, **site}
        stage("addresses", "erp", run_id, address_id=key, role=role, **place)
    build()
    with connect() as connection:
        sites = connection.execute(
            "select street, roles, cardinality(source_records) from marts_a.customer_addresses "
            "order by street"
        ).fetchall()
    assert sites == [("Storgata 1", "both", 2), ("Storgata 2", "shipping", 1)]


@pytest.mark.parametrize(
    ("kind", "open_amount", "days_ago", "expected"),
    [
        ("invoice", 10, 3, 3),
        ("invoice", 10, -3, 0),
        ("invoice", 0, 3, None),
        ("credit_note", -10, 3, None),
        ("invoice", 10, None, None),
    ],
)
def test_days_overdue_counts_from_today(
    warehouse: str, kind: str, open_amount: int, days_ago: int | None, expected: int | None
) -> None:
    described = settings().dbt_project / "models" / "marts" / "invoices.yml"
    columns = yaml.safe_load(described.read_text())["models"][0]["columns"]
    [column] = [each for each in columns if each["name"] == "days_overdue"]
    expression = column["config"]["meta"]["view_expression"]
    with connect() as connection:
        today = connection.execute("select current_date").fetchone()
        assert today is not None
        assert isinstance(today[0], date)
        due = None if days_ago is None else today[0] - timedelta(days=days_ago)
        found = connection.execute(
            f"select {expression} from (values (%s::text, %s::numeric, %s::date)) "
            "as invoices (type, open_amount, due_date)".encode(),
            (kind, open_amount, due),
        ).fetchone()
    assert found == (expected,)
