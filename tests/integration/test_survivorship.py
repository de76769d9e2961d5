"""Whose values survive in unified customers, sites, contacts and products, and what follows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.rows import dict_row

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.publishing import begin_build, finish_build, publish
from tests.fixtures.marts import person
from tests.fixtures.marts import rows as read
from tests.fixtures.story import ABOUT_RUNS
from tests.integration.crosswalks import link, retire
from tests.integration.staged import create_staging, new_run, stage
from tests.integration.test_marts_incremental_equals_full import differing_rows, marts

OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
ACCOUNT = ("crm", "accounts", "a1")
CUSTOMER = ("erp", "customers", "c1")


@pytest.fixture(autouse=True)
def _staging(warehouse: str) -> None:
    create_staging()


def build(run_id: int, slot: str = "a", *, full: bool = False, select: str | None = None) -> None:
    """Catch a slot's marts up, or only some of them; reconciliation and metrics only follow."""
    selected = [select] if select else ["path:models/marts/*.sql", "path:models/marts/documents"]
    run_dbt(["run", "--select", *selected], slot=slot, full=full)
    if not select:
        with connect() as connection:
            connection.execute("update ops.slots set version = %s where slot = %s", (run_id, slot))


def rows(query: str) -> list[dict[str, Any]]:
    with connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def values(query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(query)]


def one_customer(run_id: int) -> None:
    """Stage an account and an ERP customer that are one, and differ in most fields."""
    stage(
        "accounts", "crm", run_id, account_id="a1", name="Møller", tax_id="NO 111 222 333",
        phone="+47 22 33 44 55", email="sales@moller.no", website="https://www.moller.no/",
        billing_street="Storgata 1", billing_city="Oslo", shipping_street="Havna 9",
        shipping_city="Bergen", modified_at=NEW,
    )  # fmt: skip
    stage(
        "customers", "erp", run_id, customer_id="c1", name="MOELLER AS", tax_id="999222333",
        phone="22334455", email="faktura@moller.no", website="moller.no", payment_terms="NET30",
        credit_limit=100, currency="NOK", modified_at=OLD,
    )  # fmt: skip
    site = {"customer_id": "c1", "role": "billing", "modified_at": OLD}
    stage("addresses", "erp", run_id, address_id="1", street="Kontoret 5", city="Oslo", **site)
    stage(
        "addresses", "erp", run_id, address_id="2", street="HAVNA 9.", city="Bergen",
        **{**site, "role": "shipping"},
    )  # fmt: skip
    link("customer", run_id, "C1", ACCOUNT, CUSTOMER)


def test_each_side_decides_what_it_owns_and_what_differs_is_listed() -> None:
    run_id = new_run()
    one_customer(run_id)
    build(run_id)
    [customer] = rows("select * from marts_a.customers")
    assert customer["name"] == "Møller"
    assert customer["tax_id"] == "999222333"
    assert customer["billing_street"] == "Kontoret 5"
    assert customer["shipping_street"] == "HAVNA 9."
    assert (customer["credit_limit"], customer["credit_currency"]) == (100, "NOK")
    conflicts = {
        row["field"]: row for row in rows("select * from marts_a.customer_field_conflicts")
    }
    # The telephone number, the website and the shipping address only differ in spelling.
    assert set(conflicts) == {"name", "tax_id", "email", "billing_address"}
    assert {name for name, row in conflicts.items() if row["is_for_review"]} == {"tax_id"}
    for name in ("name", "tax_id", "email"):
        assert conflicts[name]["chosen_value"] == customer[name]
        assert conflicts[name]["since"] > NEW
    billing = conflicts["billing_address"]
    assert (billing["crm_value"], billing["chosen_value"]) == (
        "Storgata 1, Oslo",
        "Kontoret 5, Oslo",
    )


def test_a_conflict_goes_when_the_systems_agree() -> None:
    run_id = new_run()
    one_customer(run_id)
    build(run_id)
    run_id = new_run()
    stage("accounts", "crm", run_id, account_id="a1", name="Moeller, AS", tax_id="NO999222333MVA")
    build(run_id)
    assert values("select field from marts_a.customer_field_conflicts") == []


def test_analysts_see_what_differs_but_nothing_personal(warehouse: str) -> None:
    run_id = new_run()
    one_customer(run_id)
    contact("p1", run_id, role="sales", first_name="Ada", birth_date="1990-01-02", national_id="7")
    begin_build("a", run_id)
    build(run_id)
    finish_build("a", run_id)
    publish("a", run_id)
    conflicts = (
        "select count(*), count(crm_value), count(chosen_value) from marts.customer_field_conflicts"
    )
    contacts = "select count(*), count(birth_date), count(national_id) from marts.customer_contacts"
    with person(warehouse, "concord_analyst") as analyst:
        assert read(conflicts, analyst) == [(4, 3, 3)]
        assert read(contacts, analyst) == [(1, 0, 0)]
    with person(warehouse, "concord_analyst", "concord_personal_data") as trusted:
        assert read(conflicts, trusted) == [(4, 4, 4)]
        assert read(contacts, trusted) == [(1, 1, 1)]


def contact(key: str, run_id: int, **given: Any) -> None:
    """Stage a contact of the account (p…) or of the ERP customer (q…)."""
    is_crm = key.startswith("p")
    owner = {"account_id": "a1"} if is_crm else {"customer_id": "c1"}
    stage("contacts", "crm" if is_crm else "erp", run_id, contact_id=key, **owner, **given)


def test_a_person_is_one_row_whose_values_its_owner_decides_and_the_other_fills() -> None:
    run_id = new_run()
    one_customer(run_id)
    ada = {"first_name": "Ada", "last_name": "Lovelace"}
    contact("p1", run_id, role="billing", email="ada@crm.no", job_title="CFO", **ada)
    contact("q1", run_id, role="billing", email="ada@erp.no", **ada)
    contact("p2", run_id, role="sales", email="bo@crm.no", first_name="Bo")
    contact("q2", run_id, role="delivery", email="bo@erp.no", first_name="Bosse")
    contact("q3", run_id, role="other", email="new@erp.no", first_name="Cy")
    link("contact", run_id, "P1", ("crm", "contacts", "p1"), ("erp", "contacts", "q1"))
    link("contact", run_id, "P2", ("crm", "contacts", "p2"), ("erp", "contacts", "q2"))
    build(run_id)
    assert values(
        "select contact_id, email, first_name, job_title, roles, crm_contact_id, erp_contact_id "
        "from marts_a.customer_contacts order by contact_id"
    ) == [
        ("P1", "ada@erp.no", "Ada", "CFO", "billing", "p1", "q1"),
        ("P2", "bo@crm.no", "Bo", None, "delivery, sales", "p2", "q2"),
        (None, "new@erp.no", "Cy", None, "other", None, "q3"),
    ]


def test_contacts_follow_when_persons_are_merged_and_parted_again() -> None:
    run_id = new_run()
    one_customer(run_id)
    for key in ("p1", "q1"):
        contact(key, run_id, role="sales", email="ada@x.no", first_name="Ada")
    link("contact", run_id, "P1", ("crm", "contacts", "p1"))
    link("contact", run_id, "P2", ("erp", "contacts", "q1"))
    build(run_id)
    persons = "select contact_id, cardinality(source_records) from marts_a.customer_contacts"
    assert sorted(values(persons)) == [("P1", 1), ("P2", 1)]
    run_id = new_run()
    link("contact", run_id, "P1", ("erp", "contacts", "q1"))
    retire("contact", "P2", "P1")
    build(run_id)
    assert values(persons) == [("P1", 2)]
    resolved = "select current_contact_id from marts_a.contact_ids where contact_id = 'P2'"
    assert values(resolved) == [("P1",)]
    run_id = new_run()
    link("contact", run_id, "P2", ("erp", "contacts", "q1"))
    build(run_id)
    assert sorted(values(persons)) == [("P1", 1), ("P2", 1)]
    assert values(resolved) == [("P2",)]


def product(key: str, run_id: int, system: str, **given: Any) -> None:
    stage("products", system, run_id, product_id=key, **given)


def test_a_product_is_one_row_that_the_erp_decides_and_the_crm_fills() -> None:
    run_id = new_run()
    product("x1", run_id, "crm", product_number="AB-1", name="Pump (web)", list_price=12,
            currency="EUR", unit="C62")  # fmt: skip
    product("y1", run_id, "erp", product_number="AB1", name="Pump", standard_cost=7,
            currency="NOK")  # fmt: skip
    product("y2", run_id, "erp", product_number="CD2", name="Not identified yet")
    link("product", run_id, "I1", ("crm", "products", "x1"), ("erp", "products", "y1"))
    build(run_id)
    assert values(
        "select product_number, name, list_price, currency, standard_cost, cost_currency, unit, "
        "crm_product_id, erp_product_id, product_id from marts_a.products order by product_number"
    ) == [
        ("AB1", "Pump", 12, "EUR", 7, "NOK", "C62", "x1", "y1", "I1"),
        ("CD2", "Not identified yet", None, None, None, None, None, None, "y2", None),
    ]
    assert values(
        "select product_number from marts_a.product_crosswalk where product_id = 'I1' order by 1"
    ) == [("AB-1",), ("AB1",)]


def test_a_number_that_stands_for_two_products_is_shown_once() -> None:
    run_id = new_run()
    for key, system in (("x1", "crm"), ("y1", "erp"), ("z1", "erp_de")):
        product(key, run_id, system, product_number="1", name=system)
        link("product", run_id, f"I{key}", (system, "products", key))
    build(run_id)
    assert values("select name, product_id from marts_a.products") == [("erp", "Iy1")]
    assert len(rows("select * from marts_a.product_crosswalk where is_current")) == 3


def test_all_marts_follow_a_merge_and_come_back_as_they_were_after_the_unmerge() -> None:
    run_id = new_run()
    one_customer(run_id)
    contact("p1", run_id, role="sales", email="ada@x.no", first_name="Ada")
    contact("q1", run_id, role="billing", email="ada@x.no", first_name="Ada")
    stage("orders", "erp", run_id, order_id="o1", customer_id="c1", net_amount=5, currency="EUR")
    stage("invoices", "erp", run_id, invoice_id="i1", customer_id="c1", open_amount=5)
    link("contact", run_id, "P1", ("crm", "contacts", "p1"), ("erp", "contacts", "q1"))
    link("customer", run_id, "C2", CUSTOMER)
    build(run_id)
    apart = published()
    run_id = new_run()
    link("customer", run_id, "C1", CUSTOMER)
    retire("customer", "C2", "C1")
    build(run_id)
    assert values("select distinct customer_id from marts_a.orders") == [("C1",)]
    assert values("select customer_id, erp_record_count from marts_a.customers") == [("C1", 1)]
    assert values("select distinct customer_id from marts_a.customer_addresses") == [("C1",)]
    assert values("select customer_id, roles from marts_a.customer_contacts") == [
        ("C1", "billing, sales")
    ]
    assert len(rows("select * from marts_a.customer_field_conflicts")) == 4
    assert incremental_differs_from_full(run_id) == {}
    run_id = new_run()
    link("customer", run_id, "C2", CUSTOMER)
    build(run_id)
    assert published() == apart
    assert incremental_differs_from_full(run_id) == {}


def published() -> dict[str, list[tuple[Any, ...]]]:
    """Return every mart but the histories of ids, which only grow, and what tells of the runs."""
    history = ("_crosswalk", "_ids")
    return {
        mart: sorted(values(f"select * from marts_a.{mart}"), key=str)
        for mart in marts()
        if not mart.endswith(history) and mart not in ABOUT_RUNS
    }


def incremental_differs_from_full(run_id: int) -> dict[str, object]:
    build(run_id, "b", full=True)
    return {mart: found for mart in marts() if (found := differing_rows(mart))}


FLIPS = 100


def test_flipping_the_default_address_a_hundred_times_moves_no_site_and_no_role() -> None:
    run_id = new_run()
    one_customer(run_id)
    build(run_id)
    edges = (
        "select site_key, roles, is_billing_in_crm, is_billing_in_erp, is_shipping_in_crm, "
        "is_shipping_in_erp, source_records from marts_a.customer_addresses order by site_key"
    )
    before, history = values(edges), values("select * from identity.customer_crosswalk")
    for flip, default in flips():
        run_id = new_run()
        for key, role, street, city in (
            ("1", "billing", "Kontoret 5", "Oslo"),
            ("2", "shipping", "HAVNA 9.", "Bergen"),
        ):
            stage(
                "addresses", "erp", run_id, address_id=key, customer_id="c1", role=role,
                street=street, city=city, is_default=key == default, modified_at=NEW,
            )  # fmt: skip
        if flip % 50 == 0:
            build(run_id)
            assert values(edges) == before
    assert values("select * from identity.customer_crosswalk") == history
    assert incremental_differs_from_full(run_id) == {}


def flips() -> Iterator[tuple[int, str]]:
    return ((flip, "12"[flip % 2]) for flip in range(1, FLIPS + 1))


GUESTS = 20


def test_guest_orders_make_no_customers_and_keep_their_own_addresses() -> None:
    run_id = new_run()
    one_customer(run_id)
    stage("customers", "erp", run_id, customer_id="web", name="Web shop guests")
    link("customer", run_id, "C9", ("erp", "customers", "web"))
    planted = {}
    for guest in range(GUESTS):
        ship_to = {"street": f"Guest road {guest}", "city": "Oslo", "country": "NO"}
        bill_to = {**ship_to, "street": f"Guest box {guest % 3}"}
        for key, role, place in (
            (f"s{guest}", "shipping", ship_to),
            (f"b{guest}", "billing", bill_to),
        ):
            stage(
                "addresses", "erp", run_id, address_id=key, customer_id="web", role=role,
                addressee=f"Guest {guest}", **place,
            )  # fmt: skip
        stage(
            "orders", "erp", run_id, order_id=f"o{guest}", customer_id="web",
            bill_to_address_id=f"b{guest}", ship_to_address_id=f"s{guest}",
        )  # fmt: skip
        planted[f"o{guest}"] = (f"Guest {guest}", bill_to["street"], ship_to["street"], "Oslo")
    build(run_id)
    assert values("select count(*) from marts_a.customers") == [(2,)]
    found = rows(
        "select order_id, ship_to_addressee, bill_to_street, ship_to_street, ship_to_city "
        "from marts_a.orders"
    )
    assert {row.pop("order_id"): tuple(row.values()) for row in found} == planted
    run_id = new_run()
    stage("addresses", "erp", run_id, address_id="s0", customer_id="web", street="Moved 1")
    build(run_id)
    assert values("select ship_to_street from marts_a.orders where order_id = 'o0'") == [
        ("Moved 1",)
    ]
    assert incremental_differs_from_full(run_id) == {}
