"""Publishing shows analysts one complete, gated state, and records what it changed."""

from decimal import Decimal

import pytest

from flows.core.errors import PublicationRefusedError
from flows.core.warehouse import connect
from flows.publishing import begin_build, candidate_slot, differences, finish_build, publish
from flows.publishing.catalogue import Catalogue
from flows.publishing.report import markdown
from tests.fixtures.marts import (
    CATALOGUE,
    CUSTOMERS,
    ORDERS,
    build,
    build_and_publish,
    fill,
    rows,
    run,
    start_run,
)

pytestmark = pytest.mark.usefixtures("warehouse")


def candidate() -> str:
    with connect() as connection:
        return candidate_slot(connection)


def test_the_candidate_is_the_slot_that_analysts_do_not_read() -> None:
    assert candidate() == "a"
    build_and_publish("a")
    assert candidate() == "b"
    build_and_publish("b")
    assert candidate() == "a"


def test_publishing_points_every_view_at_the_slot() -> None:
    first = build_and_publish("a")
    assert rows("select distinct version from marts.orders") == [(first.version,)]
    second = build_and_publish("b")
    found = "select distinct o.version, c.version from marts.orders o, marts.customers c"
    assert rows(found) == [(second.version, second.version)]
    assert rows("select slot, version from ops.publications where is_live") == [
        ("b", second.version)
    ]


def test_publishing_the_same_slot_and_version_again_changes_nothing() -> None:
    first = build_and_publish("a")
    before = rows("select oid, xmin from pg_class where relnamespace = 'marts'::regnamespace")
    again = publish("a", start_run(), catalogue=CATALOGUE)
    assert again.is_unchanged
    assert again.publication_id == first.publication_id
    assert rows("select count(*) from ops.publications") == [(1,)]
    after = rows("select oid, xmin from pg_class where relnamespace = 'marts'::regnamespace")
    assert after == before


def test_a_new_mask_is_published_even_when_the_data_is_the_same() -> None:
    first = build_and_publish("a", catalogue=Catalogue())
    again = publish("a", first.run_id, catalogue=CATALOGUE)
    assert not again.is_unchanged
    assert "case" in str(rows("select pg_get_viewdef('marts.customers'::regclass)")).lower()


def test_a_slot_under_construction_is_refused() -> None:
    begin_build("a", run_id := start_run())
    fill("a", run_id)
    with pytest.raises(PublicationRefusedError, match="being built"):
        publish("a", run_id, catalogue=CATALOGUE)
    finish_build("a", run_id)
    assert publish("a", run_id, catalogue=CATALOGUE).version == run_id


def test_a_slot_never_built_and_an_empty_slot_are_refused() -> None:
    with pytest.raises(PublicationRefusedError, match="never built"):
        publish("a", None, catalogue=CATALOGUE)
    build("a", "select 1")
    with pytest.raises(PublicationRefusedError, match="no mart"):
        publish("a", None, catalogue=CATALOGUE)
    with pytest.raises(PublicationRefusedError, match="no slot 'c'"):
        publish("c", None, catalogue=CATALOGUE)


def test_the_slot_analysts_read_is_never_built() -> None:
    build_and_publish("a")
    with pytest.raises(PublicationRefusedError, match="build slot b instead"):
        begin_build("a", start_run())


def test_a_build_that_another_run_took_over_cannot_finish() -> None:
    begin_build("a", first := start_run())
    begin_build("a", second := start_run())
    with pytest.raises(PublicationRefusedError, match=f"run {second} is building it"):
        finish_build("a", first)
    finish_build("a", second)


def test_counts_sums_and_their_differences_are_recorded_to_the_last_digit() -> None:
    first = build_and_publish("a")
    total = Decimal("150.0015") + 5 * first.version
    assert [(t.table, t.row_count, t.row_count_change) for t in first.tables] == [
        ("customers", 3, None),
        ("orders", 5, None),
    ]
    assert first.tables[1].sums == {"net_amount": total}
    more = "insert into orders values ('O6', 'C1', 12345678901234.5678, 0)"
    second = build_and_publish("b", CUSTOMERS, ORDERS, more)
    orders = differences(second.publication_id)[1]
    assert orders.row_count_change == 1
    gained = Decimal("12345678901234.5678") + 5 * (second.version - first.version)
    assert orders.sum_changes == {"net_amount": gained}
    assert orders.sums == {"net_amount": total + gained}


def test_each_table_is_measured_in_one_scan() -> None:
    run_id = build("a")
    scans = "select seq_scan from pg_stat_user_tables where relid = 'marts_a.orders'::regclass"
    run("select pg_stat_force_next_flush()")
    before = rows(scans)[0][0]
    publish("a", run_id, catalogue=Catalogue(sums={"orders": ["net_amount", "version"]}))
    run("select pg_stat_force_next_flush()")
    assert rows(scans)[0][0] == int(str(before)) + 1


def test_the_report_shows_rows_and_sums_with_their_changes() -> None:
    build_and_publish("a")
    second = build_and_publish(
        "b",
        CUSTOMERS,
        ORDERS,
        "alter table orders add column channel text",
        "delete from customers",
    )
    report = markdown(second)
    assert f"Published slot b, version {second.version}" in report
    assert "| customers | 0 | -3 |  |  |" in report
    assert f"| orders | 5 | +0 | net_amount {150.0015 + 5 * second.version:,.2f} |" in report
    assert "New columns: orders.channel." in report


def test_comments_are_published_and_follow_changes() -> None:
    build_and_publish("a")
    read = (
        "select obj_description('marts.customers'::regclass), col_description("
        "'marts.customers'::regclass, 3)"
    )
    assert rows(read) == [("One row per customer", "Where they read mail; 100 % personal")]
    build_and_publish("b", CUSTOMERS, ORDERS, "comment on column customers.email is 'Mail'")
    assert rows(read) == [("One row per customer", "Mail")]


def test_what_dbt_left_of_a_cut_run_is_not_published() -> None:
    build_and_publish("a", CUSTOMERS, ORDERS, "create table orders__dbt_tmp (order_id text)")
    assert rows("select viewname::text from pg_views where schemaname = 'marts' order by 1") == [
        ("customers",),
        ("orders",),
    ]


def test_a_table_that_no_model_describes_is_not_published() -> None:
    described = Catalogue(tables=frozenset({"orders"}))
    build_and_publish("a", catalogue=described)
    assert rows("select viewname::text from pg_views where schemaname = 'marts'") == [("orders",)]


def test_a_view_expression_is_computed_when_it_is_read() -> None:
    computed = Catalogue(
        expressions={"orders": {"days_overdue": "current_date - due_date", "is_late": "true"}}
    )
    orders = (
        "create table orders (order_id text, due_date date, days_overdue integer);"
        "insert into orders values ('O1', current_date - 7, null)"
    )
    build_and_publish("a", orders, catalogue=computed)
    assert rows("select days_overdue, is_late from marts.orders") == [(7, True)]


@pytest.mark.parametrize("column", ["version", "days_overdue"])
def test_a_view_expression_that_cannot_be_computed_is_refused(column: str) -> None:
    wrong = Catalogue(expressions={"orders": {column: "no_such_column + 1"}})
    with pytest.raises(PublicationRefusedError, match="no_such_column"):
        build_and_publish("a", catalogue=wrong)


def test_a_relation_of_somebody_else_under_the_same_name_is_refused() -> None:
    run("create table marts.orders (order_id text)")
    with pytest.raises(PublicationRefusedError, match=r"marts\.orders is not a view"):
        build_and_publish("a")


def test_names_that_need_quotes_are_published() -> None:
    build_and_publish("a", 'create table "Odd ""name" ("select" int, "a%b" text)')
    assert rows('select count("select"), count("a%b") from marts."Odd ""name"') == [(0, 0)]
