"""Records as they are compared: kept up with staging, and numbers read once by the libraries."""

from typing import Any

import pytest

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.integration.staged import Company, create_staging, new_run, stage

RECORDS = ("customer_records", "contact_records", "product_records")
COMPUTED = "select to_jsonb(r) - 'version' from identity.{} as r order by record"


@pytest.fixture
def staging(warehouse: str) -> None:
    assert warehouse
    create_staging()


def compute(run_id: int, *, full: bool = False) -> None:
    identity.standardise(run_id)
    run_dbt(["run", "--select", *RECORDS], full=full)


def found(query: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.usefixtures("staging")
def test_changed_records_alone_are_computed_and_come_out_as_if_all_were() -> None:
    company = Company(seed=20261123)
    for _ in range(4):
        run_id = new_run()
        company.change(run_id, 120)
        compute(run_id)
    kept_up = {name: found(COMPUTED.format(name)) for name in RECORDS}
    assert found("select count(distinct version) > 1 from identity.customer_records") == [(True,)]
    compute(run_id, full=True)
    assert kept_up == {name: found(COMPUTED.format(name)) for name in RECORDS}
    assert all(kept_up.values())


@pytest.mark.usefixtures("staging")
def test_an_address_that_moves_leaves_the_customer_that_had_it() -> None:
    run_id = new_run()
    for key in ("c1", "c2"):
        stage("customers", "erp", run_id, customer_id=key, name=key)
    for number, role in ((1, "billing"), (2, "shipping")):
        street = f"Kaien {number}"
        stage("addresses", "erp", run_id, address_id=str(number), customer_id="c1", role=role,
              street=street, postal_code="5003")  # fmt: skip
    compute(run_id)
    addresses = "select source_key, addresses from identity.customer_records order by source_key"
    assert found(addresses) == [("c1", ["kaien 1|5003", "kaien 2|5003"]), ("c2", None)]
    run_id = new_run()
    stage("addresses", "erp", run_id, address_id="2", customer_id="c2", role="shipping",
          street="Kaien 2", postal_code="5003")  # fmt: skip
    compute(run_id)
    assert found(addresses) == [("c1", ["kaien 1|5003"]), ("c2", ["kaien 2|5003"])]


@pytest.mark.usefixtures("staging")
def test_a_number_is_read_once_in_the_country_of_its_record() -> None:
    run_id = new_run()
    stage("accounts", "crm", run_id, account_id="a1", tax_id="NO 923 609 016 MVA",
          phone="22 33 44 55", billing_country="NO")  # fmt: skip
    stage("customers", "erp", run_id, customer_id="c1", registration_id="923609017")
    stage("addresses", "erp", run_id, address_id="1", customer_id="c1", role="both", country="NO")
    assert identity.standardise(run_id) == 3
    read = (
        "select kind, country, value, standard, is_valid from identity.standard_values order by 1"
    )
    assert found(read) == [
        ("phone", "NO", "22 33 44 55", "+4722334455", True),
        ("registration_id", "NO", "923609017", None, False),
        ("tax_id", "NO", "NO923609016MVA", "923609016", True),
    ]
    assert identity.standardise(run_id) == 0
    run_id = new_run()
    stage("accounts", "crm", run_id, account_id="a2", tax_id="NO923609016MVA", phone="22334455",
          billing_country="NO")  # fmt: skip
    assert identity.standardise(run_id) == 1


@pytest.mark.usefixtures("staging")
def test_wrong_check_digits_link_nobody_and_stay_visible() -> None:
    run_id = new_run()
    stage("accounts", "crm", run_id, account_id="a1", tax_id="923609016", billing_country="NO")
    stage("accounts", "crm", run_id, account_id="a2", tax_id="923609017", billing_country="NO")
    stage("accounts", "crm", run_id, account_id="a3", tax_id="12 34 56 99")
    compute(run_id)
    read = "select source_key, tax_id, tax_key, conflict_keys from identity.customer_records"
    assert found(f"{read} order by source_key") == [
        ("a1", "923609016", "923609016", ["NO-org:923609016"]),
        ("a2", "923609017", None, None),
        ("a3", "12345699", "12345699", None),
    ]


@pytest.mark.usefixtures("staging")
def test_other_versions_of_the_libraries_read_everything_anew() -> None:
    run_id = new_run()
    stage("contacts", "crm", run_id, contact_id="p1", phone="+47 22 33 44 55")
    assert identity.standardise(run_id) == 1
    with connect() as connection:
        connection.execute(
            "update ops.settings set value = 'older ones' where key = 'identity_libraries'"
        )
    assert identity.standardise(run_id) == 1


ODD_NAMES = ["", " ", "x", "😀", "مرحبا", "A" * 10_000, "\u200f", "'", "%", "\\"]


@pytest.mark.usefixtures("staging")
def test_odd_values_make_records_like_any_other() -> None:
    run_id = new_run()
    for number, odd in enumerate(ODD_NAMES):
        key = str(number)
        stage("accounts", "crm", run_id, account_id=key, name=odd, tax_id=odd, phone=odd, email=odd,
              website=odd, billing_street=odd, billing_city=odd, billing_country=odd)  # fmt: skip
        stage("contacts", "crm", run_id, contact_id=key, first_name=odd, last_name=odd, email=odd,
              phone=odd, national_id=odd, street=odd)  # fmt: skip
        stage("products", "crm", run_id, product_id=key, product_number=odd, name=odd, unit=odd)
    compute(run_id)
    for name in RECORDS:
        assert found(f"select count(*) from identity.{name}") == [(len(ODD_NAMES),)]
