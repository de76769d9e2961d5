"""Rulings of people: what they may write, what is in force, and when they are asked again."""

from typing import Any

import psycopg
import pytest

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.fixtures.marts import person

STEWARD = (
    "insert into ops.decisions (domain, left_record, right_record, ruling) values (%s, %s, %s, %s)"
)
ONE, OTHER = "crm|accounts|a1", "erp|customers|c1"


def fetch(query: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()


def rule(left: str, right: str, ruling: str, domain: str = "customers") -> None:
    with connect() as connection:
        connection.execute(STEWARD, (domain, left, right, ruling))


def in_force() -> list[tuple[Any, ...]]:
    return fetch("select left_record, right_record, ruling from identity.active_rulings order by 1")


def test_a_later_ruling_replaces_the_one_before_and_nothing_is_forgotten(warehouse: str) -> None:
    rule(ONE, OTHER, "same")
    rule(OTHER, ONE, "different")
    assert in_force() == [(ONE, OTHER, "different")]
    rule(ONE, OTHER, "unsure")
    assert in_force() == []
    assert fetch("select ruling, status from ops.decisions order by decision_id") == [
        ("same", "replaced"),
        ("different", "replaced"),
        ("unsure", "active"),
    ]


def test_a_steward_writes_decisions_and_nothing_else(warehouse: str) -> None:
    with person(warehouse, "concord_steward") as steward:
        name = psycopg.conninfo.conninfo_to_dict(steward)["user"]
        with psycopg.connect(steward) as connection:
            connection.execute(STEWARD, ("customers", ONE, OTHER, "same"))
            connection.execute(STEWARD, ("customers", ONE, OTHER, "different"))
        assert fetch("select decided_by, entered_by, status from ops.decisions order by 3") == [
            (name, name, "active"),
            (name, name, "replaced"),
        ]
        for forbidden in (
            "update ops.decisions set ruling = 'same'",
            "delete from ops.decisions",
            (
                "insert into ops.decisions (domain, left_record, right_record, ruling, entered_by) "
                "values ('customers', 'a', 'b', 'same', 'somebody else')"
            ),
            "select * from identity.customer_crosswalk",
            "select * from ops.runs",
            "insert into identity.keep_apart values ('customers', 'a', 'b', null)",
        ):
            with (
                psycopg.connect(steward) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(forbidden.encode())


def test_what_the_rules_keep_apart_stands_above_every_ruling(warehouse: str) -> None:
    rule(ONE, OTHER, "same")
    rule(ONE, "erp|customers|c2", "same")
    run_dbt(["seed", "--select", "keep_apart"])
    with connect() as connection:
        connection.execute(
            "insert into staging.keep_apart values "
            "('customers', 'erp', 'c1', 'crm', 'a1', 'one group'), "
            "('products', 'erp', 'p1', 'crm', 'p1', 'old and new')"
        )
        connection.execute("select identity.fill_keep_apart()")
        connection.execute("select identity.fill_keep_apart()")
    assert (ONE, OTHER, "different") in in_force()
    assert (ONE, OTHER, "same") not in in_force()
    assert (ONE, "erp|customers|c2", "same") in in_force()
    assert ("crm|products|p1", "erp|products|p1", "different") in in_force()


def test_loading_the_seeds_takes_over_what_is_kept_apart(warehouse: str) -> None:
    with connect() as connection:
        connection.execute("insert into identity.keep_apart values ('customers', 'a', 'b', 'old')")
    run_dbt(["seed", "--select", "keep_apart"])
    assert fetch("select * from identity.keep_apart") == []
