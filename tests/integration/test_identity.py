"""An id is given out once and resolves for ever, in every domain."""

from typing import Any

import pytest

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.identity import IdentityChanges, assign
from tests.integration.linked import Linked
from tests.integration.staged import create_staging, new_run, stage


@pytest.fixture
def customers(warehouse: str) -> Linked:
    return Linked()


def test_linked_records_share_an_id_and_a_second_run_changes_nothing(customers: Linked) -> None:
    customers.add("a1", "a2", "erp:c1")
    customers.link("a1", "erp:c1")
    first = customers.assign()
    held = customers.ids()
    assert held == {"a1": "C000001", "erp:c1": "C000001", "a2": "C000002"}
    assert (first.records, first.ids, first.created, first.changed_records) == (3, 2, 2, 3)
    second = customers.assign()
    assert second.is_unchanged
    assert (second.records, second.ids, second.affected_records) == (3, 2, 0)
    assert customers.ids() == held


def test_contacts_and_products_have_ids_of_their_own(customers: Linked) -> None:
    contacts, products = Linked("contacts"), Linked("products")
    for domain in (customers, contacts, products):
        domain.add("x1", "erp:x1", "x2")
        domain.link("x1", "erp:x1")
    changes = assign(new_run())
    assert {name: change.created for name, change in changes.items()} == {
        "customers": 2,
        "contacts": 2,
        "products": 2,
    }
    held = [domain.ids()["x2"] for domain in (customers, contacts, products)]
    assert held == ["C000002", "P000002", "I000002"]
    assert [customers.resolve(one) for one in held] == held
    assert customers.resolve("C999999") is None


@pytest.mark.usefixtures("warehouse")
def test_a_domain_without_records_tables_is_left_alone() -> None:
    assert assign(new_run()) == dict.fromkeys(
        ("customers", "contacts", "products"), IdentityChanges()
    )


def test_a_merged_away_id_resolves_to_the_survivor_and_comes_back_when_split(
    customers: Linked,
) -> None:
    customers.add("a1", "erp:c1")
    customers.assign()
    before = customers.ids()
    customers.link("a1", "erp:c1")
    assert customers.assign().merged == 1
    assert set(customers.ids().values()) == {"C000001"}
    assert customers.resolve("C000002") == "C000001"
    customers.unlink("a1", "erp:c1")
    assert customers.assign().restored == 1
    assert customers.ids() == before
    assert customers.resolve("C000002") == "C000002"
    assert customers.events() == [
        ("created", "C000001", None, 1),
        ("created", "C000002", None, 1),
        ("merged", "C000002", "C000001", 1),
        ("restored", "C000002", None, 1),
        ("split", "C000001", "C000002", 1),
    ]


def test_the_larger_part_of_a_split_customer_keeps_the_id(customers: Linked) -> None:
    customers.add("a1", "a2", "a3", "erp:c1")
    for key in ("a1", "a2", "a3"):
        customers.link(key, "erp:c1")
    customers.assign()
    customers.unlink("a1", "erp:c1")
    changes = customers.assign()
    assert (changes.created, changes.split) == (1, 1)
    held = customers.ids()
    assert held == {"a1": "C000002", "a2": "C000001", "a3": "C000001", "erp:c1": "C000001"}


def test_ids_merged_into_one_that_is_merged_resolve_in_one_step_and_return_with_it(
    customers: Linked,
) -> None:
    customers.add("a1", "a2", "a3", "a4")
    customers.assign()
    customers.link("a2", "a3")
    customers.assign()
    customers.link("a1", "a2")
    customers.link("a1", "a4")
    customers.assign()
    in_use = customers.query("select identity.resolve(customer_id) from identity.customer_ids")
    assert set(in_use) == {("C000002",)}
    customers.unlink("a1", "a2")
    customers.unlink("a1", "a4")
    customers.assign()
    assert [customers.resolve(f"C00000{n}") for n in (1, 2, 3, 4)] == [
        "C000001",
        "C000002",
        "C000002",
        "C000004",
    ]


def test_a_deleted_record_leaves_the_crosswalk_and_gets_its_id_back_when_it_returns(
    customers: Linked,
) -> None:
    customers.add("erp:c1")
    customers.assign()
    customers.remove("erp:c1")
    assert customers.assign().retired == 1
    assert customers.ids() == {}
    [(state,)] = customers.query("select state from identity.resolve_customer")
    assert (customers.resolve("C000001"), state) == (None, "retired")
    customers.add("erp:c1")
    assert customers.assign().restored == 1
    assert customers.ids() == {"erp:c1": "C000001"}


def test_the_crosswalk_keeps_who_linked_a_record_from_when_to_when(customers: Linked) -> None:
    customers.add("a1", "erp:c1")
    customers.assign()
    customers.score("a1", "erp:c1", 0.97)
    customers.assign()
    customers.link("a1", "erp:c1", method="rule", rule="name_and_town", sure=0.98)
    customers.assign()
    customers.rule("a1", "erp:c1", "same")
    customers.assign()
    history = customers.query(
        "select customer_id, method, rule, probability::float8, valid_to is null, "
        "lead(valid_from, 1, valid_to) over (order by crosswalk_id) is not distinct from valid_to "
        "from identity.customer_crosswalk where source_key = 'c1' order by crosswalk_id"
    )
    assert history == [
        ("C000002", "singleton", None, 1.0, False, True),
        ("C000001", "model", "splink", 0.97, False, True),
        ("C000001", "rule", "name_and_town", 0.98, False, True),
        ("C000001", "steward", "ruling", 1.0, True, True),
    ]


def test_what_is_kept_apart_is_reported_until_the_ruling_is_taken_back(customers: Linked) -> None:
    customers.add("a1", "erp:c1", "a2")
    customers.link("a1", "erp:c1")
    customers.link("a2", "erp:c1", method="rule", rule="name", sure=0.99)
    customers.assign()
    assert len(set(customers.ids().values())) == 1
    customers.rule("a1", "a2", "different")
    assert customers.assign().blocked_links == 1
    assert customers.groups() == {frozenset({"a1", "erp:c1"}), frozenset({"a2"})}
    assert customers.blocked() == [
        ("a2", "c1", "keep_apart", "crm|accounts|a1 / crm|accounts|a2"),
    ]
    customers.rule("a1", "a2", "unsure")
    assert customers.assign().blocked_links == 0
    assert len(set(customers.ids().values())) == 1


def test_the_model_joins_no_two_that_share_a_number_and_nothing_else(customers: Linked) -> None:
    customers.add("a1", "erp:c1", "a2")
    customers.clash("a1", "erp:c1")
    customers.score("a1", "erp:c1", 0.99)
    customers.score("a2", "erp:c1", 0.98)
    customers.score("a1", "a2", 0.97)
    customers.assign()
    pair = "crm|accounts|a1 / erp|accounts|c1"
    assert customers.groups() == {frozenset({"a1"}), frozenset({"a2", "erp:c1"})}
    assert customers.blocked() == [
        ("a1", "a2", "key_clash", pair),
        ("a1", "c1", "key_clash", pair),
    ]
    customers.settle_clash("a1", "erp:c1")
    customers.assign()
    assert len(customers.groups()) == 1
    assert customers.blocked() == []


@pytest.mark.parametrize("word", ["another key", "a person"])
def test_another_key_or_a_person_joins_what_shares_a_number_and_nothing_else(
    customers: Linked, word: str
) -> None:
    customers.add("a1", "erp:c1", "a2", "a3")
    customers.clash("a1", "erp:c1")
    if word == "a person":
        customers.rule("a1", "erp:c1", "same")
    else:
        customers.link("a1", "a2")
        customers.link("a2", "erp:c1")
    customers.score("a3", "erp:c1", 0.99)
    customers.assign()
    assert {"a1", "erp:c1", "a3"} <= max(customers.groups(), key=len)
    assert customers.blocked() == []


def test_the_policy_between_two_systems_decides_what_is_accepted_and_how_many(
    customers: Linked,
) -> None:
    customers.add("a1", "a2", "erp:c1")
    customers.score("a1", "erp:c1", 0.9)
    customers.score("a2", "erp:c1", 0.85)
    customers.assign()
    assert len(customers.groups()) == 3
    customers.policy("erp", "crm", accept_above=0.8)
    customers.assign()
    assert len(customers.groups()) == 1
    customers.policy("crm", "erp", accept_above=0.8, cardinality="one_to_one")
    with connect() as connection:
        connection.execute("delete from staging.match_policy where left_system = 'erp'")
    customers.assign()
    assert customers.groups() == {frozenset({"a1", "erp:c1"}), frozenset({"a2"})}
    assert customers.blocked() == [("a2", "c1", "cardinality", "crm / erp")]


def test_records_that_became_alike_are_settled_again_where_cohesion_is_asked(
    customers: Linked,
) -> None:
    keys = [f"a{number}" for number in range(6)]
    customers.add(*keys)
    customers.policy("*", "*", least_cohesion=0.6)
    for key in keys[1:]:
        customers.score("a0", key, 0.97)
    customers.assign()
    assert len(customers.groups()) > 1
    assert {reason for _, _, reason, _ in customers.blocked()} == {"cohesion"}
    with connect() as connection:
        connection.execute(
            "insert into identity.scored_records (domain, record, features, terms, blocks) "
            "select 'customers', record, md5('alike')::uuid, '{}', '{}' "
            "from identity.customer_records"
        )
    customers.assign()
    assert len(customers.groups()) == 1
    assert customers.blocked() == []


def test_records_merged_into_each_other_in_a_circle_or_linked_with_themselves_do_no_harm(
    customers: Linked,
) -> None:
    customers.add("a1", merged_into="a2")
    customers.add("a2", merged_into="a3")
    customers.add("a3", merged_into="a1")
    customers.add("a4", merged_into="a4")
    for left, right in [("a1", "a2"), ("a2", "a3"), ("a3", "a1"), ("a4", "a4"), ("a2", "a1")]:
        customers.link(left, right, rule="merged_into")
    customers.link("a1", "gone")
    customers.assign()
    assert customers.groups() == {frozenset({"a1", "a2", "a3"}), frozenset({"a4"})}
    assert customers.assign().is_unchanged


def test_5_000_records_linked_in_one_chain_are_one_customer_and_fall_apart_again(
    customers: Linked,
) -> None:
    keys = [f"a{number:04}" for number in range(5_000)]
    customers.add(*keys)
    with connect() as connection:
        connection.execute(
            "insert into identity.customer_key_links "
            "select 'crm|accounts|' || source_key, lead('crm|accounts|' || source_key, 1, record) "
            "over (order by record), 'key', 'tax_id', 1 from identity.customer_records"
        )
    assert (customers.assign().ids, customers.ids()["a4999"]) == (1, "C000001")
    customers.unlink("a1999", "a2000")
    changes = customers.assign()
    assert (changes.ids, changes.created, changes.changed_records) == (2, 1, 2_000)
    customers.link("a1999", "a2000")
    assert customers.assign().merged == 1


def test_ids_given_out_before_homes_were_kept_stay(customers: Linked) -> None:
    customers.add("a1", "erp:c1")
    customers.link("a1", "erp:c1")
    customers.assign()
    forget = "truncate identity.used_links, identity.used_records, identity.assignments"
    with connect() as connection:
        connection.execute(forget + ", identity.homes")
    assert customers.assign().is_unchanged
    assert customers.ids() == {"a1": "C000001", "erp:c1": "C000001"}


def identify() -> IdentityChanges:
    run_dbt(["run", "--select", "path:models/identity"])
    with connect() as connection:
        row = connection.execute("select max(run_id) from ops.runs").fetchone()
    assert row is not None
    return assign(int(row[0]))["customers"]


def account(key: str, **values: Any) -> None:
    stage("accounts", "crm", new_run(), account_id=key, **values)


def held_ids() -> dict[str, str]:
    with connect() as connection:
        rows = connection.execute(
            "select source_key, customer_id from identity.customer_crosswalk where is_current"
        ).fetchall()
    return dict(rows)


@pytest.mark.usefixtures("warehouse")
def test_a_merge_inside_the_crm_points_the_loser_at_the_survivor_and_orphans_nothing() -> None:
    create_staging()
    account("a1", name="Møller Verft AS", erp_customer_id="c1")
    account("a2", name="Sjøbris Handel AS", erp_customer_id="c2")
    stage("customers", "erp", new_run(), customer_id="c1", name="Moeller Verft")
    stage("customers", "erp", new_run(), customer_id="c2", name="Sjoebris Handel")
    assert identify().created == 2
    before = held_ids()
    assert before["a1"] == before["c1"] != before["a2"] == before["c2"]
    loser = {"merged_into_id": "a1", "is_deleted": True}
    account("a2", name="Sjøbris Handel AS", erp_customer_id="c2", **loser)
    assert identify().merged == 1
    assert held_ids() == dict.fromkeys(("a1", "a2", "c1", "c2"), before["a1"])
    account("a2", name="Sjøbris Handel AS", erp_customer_id="c2")
    assert identify().restored == 1
    assert held_ids() == before
