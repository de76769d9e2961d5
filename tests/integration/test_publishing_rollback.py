"""Going back takes less than a second, and only ever to what was published."""

from time import perf_counter

import pytest

from flows.core.errors import PublicationRefusedError
from flows.publishing import begin_build, publish, rollback
from flows.publishing.catalogue import Catalogue
from flows.publishing.report import markdown
from tests.fixtures.marts import (
    CATALOGUE,
    CUSTOMERS,
    ORDERS,
    build,
    build_and_publish,
    person,
    rows,
    run,
    start_run,
)

VERSIONS = "select distinct o.version, c.version from marts.orders o, marts.customers c"


@pytest.fixture(autouse=True)
def _empty(warehouse: str) -> None:
    """Give every test a warehouse of its own."""


def test_rollback_shows_the_earlier_slot_again() -> None:
    first = build_and_publish("a")
    build_and_publish("b")
    back = rollback()
    assert (back.kind, back.slot, back.version) == ("rollback", "a", first.version)
    assert rows(VERSIONS) == [(first.version, first.version)]
    assert rows("select publication_id from ops.publications where is_live") == [
        (back.publication_id,)
    ]
    assert "Rolled back to slot a" in markdown(back)


def test_rollback_takes_less_than_a_second_and_scans_no_table() -> None:
    many = "insert into orders select 'M' || n, 'C1', 1, 0 from generate_series(1, 20000) as n"
    tables = [f"create table extra_{n} as select {n} as one" for n in range(12)]
    build_and_publish("a", CUSTOMERS, ORDERS, many, *tables)
    build_and_publish("b", CUSTOMERS, ORDERS, *tables)
    scans = "select seq_scan from pg_stat_user_tables where relid = 'marts_a.orders'::regclass"
    run("select pg_stat_force_next_flush()")
    before = rows(scans)
    started = perf_counter()
    back = rollback()
    assert perf_counter() - started < 1
    run("select pg_stat_force_next_flush()")
    assert rows(scans) == before
    orders = next(table for table in back.tables if table.table == "orders")
    assert (orders.row_count, orders.row_count_change) == (20005, 20000)


def test_there_must_be_something_to_go_back_to() -> None:
    with pytest.raises(PublicationRefusedError, match="Nothing is published"):
        rollback()
    build_and_publish("a")
    with pytest.raises(PublicationRefusedError, match="no earlier publication"):
        rollback()


def test_a_second_rollback_is_refused_and_publishing_goes_forward_again() -> None:
    build_and_publish("a")
    second = build_and_publish("b")
    rollback()
    with pytest.raises(PublicationRefusedError, match="itself a rollback"):
        rollback()
    forward = publish("b", second.run_id, catalogue=CATALOGUE)
    assert (forward.slot, forward.version) == ("b", second.version)


def test_a_candidate_under_construction_is_never_rolled_back_to() -> None:
    build_and_publish("a")
    second = build_and_publish("b")
    begin_build("a", start_run())
    with pytest.raises(PublicationRefusedError, match="being rebuilt"):
        rollback()
    assert rows(VERSIONS) == [(second.version, second.version)]


def test_a_rebuilt_slot_is_never_rolled_back_to() -> None:
    build_and_publish("a")
    second = build_and_publish("b")
    rebuilt = build("a")
    with pytest.raises(PublicationRefusedError, match=f"is at version {rebuilt} now"):
        rollback()
    assert rows(VERSIONS) == [(second.version, second.version)]


def test_rollback_keeps_newer_columns_as_nulls_and_newer_tables_empty() -> None:
    build_and_publish("a")
    added = "alter table orders add column channel text default 'web'"
    build_and_publish("b", CUSTOMERS, ORDERS, added, "create table quotes as select 1::int as one")
    run(
        "create view channels as select channel, one "
        "from marts.orders left join marts.quotes on true"
    )
    back = rollback()
    assert rows("select distinct channel, one from channels") == [(None, None)]
    assert back.filled_columns == ("orders.channel", "quotes.one")
    assert [table.table for table in back.tables] == ["customers", "orders", "quotes"]


def test_the_next_publication_after_a_rollback_brings_newer_columns_back() -> None:
    build_and_publish("a")
    added = "alter table orders add column channel text default 'web'"
    build_and_publish("b", CUSTOMERS, ORDERS, added)
    rollback()
    build_and_publish("b", CUSTOMERS, ORDERS, added)
    assert rows("select distinct channel from marts.orders") == [("web",)]


def test_rollback_over_a_retyped_column_is_refused_unless_allowed() -> None:
    build_and_publish("a")
    retyped = "alter table orders alter column version type bigint"
    second = build_and_publish("b", CUSTOMERS, ORDERS, retyped, allow_breaking=True)
    with pytest.raises(PublicationRefusedError, match="bigint becomes integer"):
        rollback()
    assert rows(VERSIONS) == [(second.version, second.version)]
    assert rollback(allow_breaking=True).slot == "a"


def test_rollback_masks_what_either_publication_masked(warehouse: str) -> None:
    build_and_publish("a", catalogue=Catalogue(personal={"customers": ["email"]}))
    build_and_publish("b", catalogue=Catalogue(personal={"customers": ["name"]}))
    rollback()
    with person(warehouse, "concord_analyst") as analyst:
        found = "select count(email), count(name), count(customer_id) from marts.customers"
        assert rows(found, analyst) == [(0, 0, 3)]
