"""Analysts read the published marts, only those, and personal data only when granted."""

import psycopg
import pytest

from tests.fixtures.marts import build, build_and_publish, person, rows, run

MASKED = "select count(*), count(email), count(name) from marts.customers"


def test_an_analyst_reads_the_published_marts(warehouse: str) -> None:
    build_and_publish("a")
    with person(warehouse, "concord_analyst") as analyst:
        assert rows("select count(*) from marts.orders", analyst) == [(5,)]
        build_and_publish("b")
        assert rows("select count(*) from marts.orders", analyst) == [(5,)]


@pytest.mark.parametrize(
    "relation",
    [
        "marts_a.customers",
        "raw_erp.orders",
        "raw.orders",
        "incoming.orders",
        "staging.orders",
        "identity.orders",
        "ops.runs",
        "quarantine.rows",
    ],
)
def test_an_analyst_is_denied_everything_behind_the_marts(warehouse: str, relation: str) -> None:
    build_and_publish("a")
    run("create schema raw_erp")
    for schema in ("raw", "raw_erp", "incoming", "staging", "identity"):
        run(f"create table {schema}.orders (order_id text)")
    assert rows(f"select count(*) >= 0 from {relation}") == [(True,)]
    with (
        person(warehouse, "concord_analyst") as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        rows(f"select * from {relation}", analyst)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into marts.orders (order_id) values ('O9')",
        "delete from marts.orders",
        "create view marts.mine as select 1 as one",
        "drop view marts.orders",
    ],
)
def test_an_analyst_changes_nothing_in_the_marts(warehouse: str, statement: str) -> None:
    build_and_publish("a")
    with (
        person(warehouse, "concord_analyst") as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        run(statement, analyst)


def test_personal_data_is_masked_unless_granted(warehouse: str) -> None:
    build_and_publish("a")
    with (
        person(warehouse, "concord_analyst") as analyst,
        person(warehouse, "concord_analyst", "concord_personal_data") as trusted,
        person(warehouse, "concord_analyst", "concord_pipeline") as pipeline,
    ):
        assert rows(MASKED, analyst) == [(3, 0, 3)]
        assert rows(MASKED, trusted) == [(3, 3, 3)]
        assert rows(MASKED, pipeline) == [(3, 3, 3)]
        assert rows(MASKED) == [(3, 3, 3)]


def test_a_masked_value_cannot_be_found_by_searching_for_it(warehouse: str) -> None:
    build_and_publish("a")
    search = "select count(*) from marts.customers where email = '1@example.org'"
    with person(warehouse, "concord_analyst") as analyst:
        assert rows(search) == [(1,)]
        assert rows(search, analyst) == [(0,)]


def test_a_function_of_an_analyst_never_sees_a_masked_value(warehouse: str) -> None:
    build_and_publish("a")
    spy = """
        create function pg_temp.spy(text) returns boolean language plpgsql cost 0.0001 as
        $$ begin if $1 is not null then raise exception 'seen: %', $1; end if; return true; end $$;
    """
    with person(warehouse, "concord_analyst") as analyst, psycopg.connect(analyst) as connection:
        connection.execute(spy.encode())
        query = "select count(*) from marts.customers where pg_temp.spy(email)"
        assert connection.execute(query.encode()).fetchall() == [(3,)]


def test_somebody_elses_view_does_not_unmask(warehouse: str) -> None:
    build_and_publish("a")
    with (
        person(warehouse, "concord_analyst", "concord_personal_data") as trusted,
        person(warehouse, "concord_analyst") as analyst,
    ):
        run("create view mails as select email from marts.customers", f"{trusted}")
        schema = trusted.split("user=")[1].split()[0]
        run(f"grant usage on schema {schema} to public; grant select on {schema}.mails to public")
        assert rows(f"select count(email) from {schema}.mails", trusted) == [(3,)]
        assert rows(f"select count(email) from {schema}.mails", analyst) == [(0,)]


def test_a_mask_keeps_the_type_and_asks_once_per_query(warehouse: str) -> None:
    build_and_publish("a")
    assert rows(
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'marts.customers'::regclass and attname = 'email'"
    ) == [("character varying(80)",)]
    plan = "\n".join(str(line) for (line,) in rows("explain select email from marts.customers"))
    assert "InitPlan" in plan
    assert "SubPlan" not in plan


def test_grants_on_a_view_survive_publishing(warehouse: str) -> None:
    build_and_publish("a")
    with person(warehouse) as auditor:
        name = auditor.split("user=")[1].split()[0]
        run(f"grant usage on schema marts to {name}; grant select on marts.orders to {name}")
        run("revoke select on marts.customers from concord_analyst")
        build_and_publish("b")
        assert rows("select count(*) from marts.orders", auditor) == [(5,)]
        with (
            person(warehouse, "concord_analyst") as analyst,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            rows("select * from marts.customers", analyst)


def test_an_analyst_sees_nothing_of_a_candidate(warehouse: str) -> None:
    first = build_and_publish("a")
    with person(warehouse, "concord_analyst") as analyst:
        build("b")
        assert rows("select distinct version from marts.orders", analyst) == [(first.version,)]
