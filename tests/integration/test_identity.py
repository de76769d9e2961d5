"""A customer id is given out once and resolves for ever."""

from typing import Any

import pytest

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.identity import IdentityChanges, assign
from tests.integration.staged import create_staging, new_run, stage


@pytest.fixture
def staging(warehouse: str) -> None:
    create_staging()


def identify() -> IdentityChanges:
    run_dbt(["run", "--select", "path:models/identity"])
    with connect() as connection:
        row = connection.execute("select max(run_id) from ops.runs").fetchone()
    assert row is not None
    return assign(int(row[0]))["customers"]


def account(key: str, **values: Any) -> None:
    stage("accounts", "crm", new_run(), account_id=key, **values)


def customer(key: str, **values: Any) -> None:
    stage("customers", "erp", new_run(), customer_id=key, **values)


def held_ids() -> dict[str, str]:
    with connect() as connection:
        rows = connection.execute(
            "select source_key, customer_id from identity.customer_crosswalk where is_current"
        ).fetchall()
    return dict(rows)


def resolved(customer_id: str) -> str | None:
    with connect() as connection:
        row = connection.execute(
            "select case when retired_at is null then customer_id else merged_into end "
            "from identity.customer_ids where customer_id = %s",
            (customer_id,),
        ).fetchone()
    assert row is not None
    return row[0] if row[0] is None else str(row[0])


@pytest.mark.usefixtures("staging")
def test_linked_records_share_an_id_and_a_second_run_changes_nothing() -> None:
    account("a1", name="Møller AS", erp_customer_id="c1")
    account("a2", name="Alone")
    customer("c1", name="Moeller")
    first = identify()
    held = held_ids()
    assert held["a1"] == held["c1"] != held["a2"]
    assert (first.ids, first.created, first.changed_records) == (2, 2, 3)
    assert identify().is_unchanged
    assert held_ids() == held


@pytest.mark.usefixtures("staging")
def test_a_merged_away_id_resolves_to_the_survivor_and_comes_back_when_split() -> None:
    account("a1", name="One")
    customer("c1", name="One Ltd")
    identify()
    before = held_ids()
    account("a1", name="One", erp_customer_id="c1")
    merge = identify()
    survivor, loser = before["a1"], before["c1"]
    assert merge.merged == 1
    assert held_ids() == {"a1": survivor, "c1": survivor}
    assert resolved(loser) == survivor
    account("a1", name="One")
    split = identify()
    assert split.restored == 1
    assert held_ids() == before
    assert resolved(loser) == loser


@pytest.mark.usefixtures("staging")
def test_the_larger_part_of_a_split_customer_keeps_the_id() -> None:
    for key in ("a1", "a2", "a3"):
        account(key, name=key, erp_customer_id="c1")
    customer("c1", name="c1")
    identify()
    before = held_ids()
    assert len(set(before.values())) == 1
    account("a1", name="a1")
    identify()
    after = held_ids()
    assert after["a2"] == after["a3"] == after["c1"] == before["c1"]
    assert after["a1"] != before["a1"]


@pytest.mark.usefixtures("staging")
def test_a_chain_of_merges_resolves_in_one_step() -> None:
    for key in ("a1", "a2", "a3"):
        account(key, name=f"Company {key}")
    identify()
    before = held_ids()
    account("a3", name="Company a3", merged_into_id="a2")
    identify()
    account("a2", name="Company a2", merged_into_id="a1")
    identify()
    current = held_ids()["a1"]
    assert {resolved(customer_id) for customer_id in before.values()} == {current}


@pytest.mark.usefixtures("staging")
def test_a_deleted_record_leaves_the_crosswalk_and_gets_its_id_back_when_it_returns() -> None:
    customer("c1", name="Gone")
    identify()
    before = held_ids()
    customer("c1", name="Gone", is_deleted=True)
    assert identify().retired == 1
    assert held_ids() == {}
    assert resolved(before["c1"]) is None
    customer("c1", name="Back")
    identify()
    assert held_ids() == before
