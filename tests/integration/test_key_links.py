"""Keys link records, shared keys do not, and clashing ones are left to a person."""

from typing import Any

import pytest

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.integration.staged import create_staging, new_run, stage_on

SYSTEMS = {"accounts": "account_id", "customers": "customer_id", "contacts": "contact_id"}


@pytest.fixture
def staging(warehouse: str) -> None:
    assert warehouse
    create_staging()


def link(*rows: tuple[str, str, dict[str, Any]]) -> None:
    """Stage rows of (entity, key, values), and link them."""
    run_id = new_run()
    with connect() as connection:
        for entity, key, values in rows:
            system = "erp" if entity == "customers" else "crm"
            stage_on(connection, entity, system, run_id, **{SYSTEMS[entity]: key}, **values)
    identity.standardise(run_id)
    run_dbt(["run", "--select", "path:models/identity"])


def pairs(table: str) -> set[tuple[str, str, str]]:
    query = (
        "select split_part(left_record, '|', 3), split_part(right_record, '|', 3), rule "
        f"from identity.{table}"
    )
    with connect() as connection:
        return set(connection.execute(query.encode()).fetchall())


@pytest.mark.usefixtures("staging")
def test_one_mailbox_or_number_on_21_records_does_not_merge_21_customers() -> None:
    shared = {"email": "post@landlord.no", "phone": "+4722334455", "tax_id": "NO923609016MVA"}
    link(*(("accounts", f"a{n}", {"name": f"Tenant{n} Foods", **shared}) for n in range(21)))
    assert pairs("customer_key_links") == set()
    assert pairs("customer_key_clashes") == set()


@pytest.mark.usefixtures("staging")
def test_5_000_identical_records_are_neither_linked_nor_multiplied() -> None:
    same = {"name": "Same Name AS", "billing_postal_code": "0150", "tax_id": "923609016"}
    link(*(("accounts", str(n), same) for n in range(5_000)))
    assert pairs("customer_key_links") == set()


@pytest.mark.usefixtures("staging")
def test_keys_link_across_systems_whatever_their_spelling() -> None:
    norwegian = {"billing_country": "NO"}
    link(
        ("accounts", "a1", {"name": "Fjord", "tax_id": "NO 923 609 016 MVA", **norwegian}),
        ("customers", "c1", {"name": "Fjord", "registration_id": "923609016"}),
        ("accounts", "a2", {"name": "North Sea", "tax_id": "DE136695976"}),
        ("customers", "c2", {"name": "Southern Comfort", "tax_id": "DE 136 695 976"}),
        ("accounts", "a3", {"name": "Wrong", "tax_id": "923609017", **norwegian}),
        ("customers", "c3", {"name": "Wrong digits", "tax_id": "NO923609017MVA"}),
        ("accounts", "a4", {"name": "Müller Söhne GmbH", "billing_postal_code": "D-10115"}),
        ("accounts", "a5", {"name": "MUELLER SOEHNE", "billing_postal_code": "10115"}),
        ("accounts", "a6", {"name": "Tenant", "billing_postal_code": "10115"}),
    )
    assert pairs("customer_key_links") == {
        ("a1", "c1", "registration_id"),
        ("a4", "a5", "name_and_postal_code"),
    }
    assert pairs("customer_key_clashes") == {("a2", "c2", "tax_id")}


@pytest.mark.usefixtures("staging")
def test_people_are_linked_by_name_with_mailbox_and_not_by_mailbox() -> None:
    link(
        ("contacts", "p1", {"first_name": "Åse", "last_name": "Li", "email": "Post@h.no"}),
        ("contacts", "p2", {"first_name": "AASE", "last_name": "LI", "email": "post@h.no "}),
        ("contacts", "p3", {"first_name": "Bo", "last_name": "Li", "email": "post@h.no"}),
        ("contacts", "p4", {"email": "post@h.no"}),
    )
    assert pairs("contact_key_links") == {("p1", "p2", "name_and_email")}
