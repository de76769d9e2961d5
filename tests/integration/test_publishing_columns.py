"""Columns come and go without breaking what analysts built, unless someone asks for it."""

import pytest

from flows.core.errors import PublicationRefusedError
from flows.publishing import publish
from tests.fixtures.marts import (
    CATALOGUE,
    CUSTOMERS,
    ORDERS,
    build,
    build_and_publish,
    person,
    rows,
    run,
)

OWN_VIEWS = """
    create schema team;
    create view team.amounts as select order_id, net_amount from marts.orders;
    create view team.total as select sum(net_amount) as total from team.amounts;
    create view team.names as select customer_id, name from marts.customers;
    create view team.order_count as
    select count(*) as orders, min(order_id) as first from marts.orders;
    comment on view team.order_count is 'How many';
    comment on column team.order_count.orders is 'Of all';
"""
WITHOUT_AMOUNT = "alter table orders drop column net_amount"
RETYPED = "alter table orders alter column net_amount type numeric(24, 6)"


@pytest.fixture(autouse=True)
def _published(warehouse: str) -> None:
    build_and_publish("a")
    run(OWN_VIEWS)


def columns(view: str) -> list[object]:
    return [
        name
        for (name,) in rows(
            f"select attname::text from pg_attribute where attrelid = '{view}'::regclass "
            "and attnum > 0 order by attnum"
        )
    ]


def test_new_columns_go_last_wherever_the_table_has_them() -> None:
    reordered = """
        create table orders (
            channel text, version int, net_amount numeric(20, 4), order_id text, customer_id text
        );
        insert into orders values ('web', 9, 1.5, 'O1', 'C1');
    """
    published = build_and_publish("b", CUSTOMERS, reordered)
    assert columns("marts.orders") == [
        "order_id",
        "customer_id",
        "net_amount",
        "version",
        "channel",
    ]
    assert published.added_columns == ("orders.channel",)
    assert rows("select * from marts.orders") == [
        ("O1", "C1", rows("select 1.5000")[0][0], 9, "web")
    ]
    assert str(rows("select * from team.total")[0][0]) == "1.5000"


def test_own_views_show_the_new_publication() -> None:
    before = rows("select * from team.total")
    build_and_publish("b")
    assert rows("select * from team.total") != before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (WITHOUT_AMOUNT, r"marts.orders.net_amount \(removed\)"),
        (RETYPED, r"marts.orders.net_amount \(numeric\(20,4\) becomes numeric\(24,6\)\)"),
    ],
)
def test_a_lost_column_is_refused_with_the_views_it_would_break(change: str, said: str) -> None:
    run_id = build("b", CUSTOMERS, ORDERS, change)
    before = rows("select * from team.total")
    with pytest.raises(PublicationRefusedError, match=said) as refusal:
        publish("b", run_id, catalogue=CATALOGUE)
    assert "Views that use them: team.amounts, team.total." in str(refusal.value)
    assert rows("select slot from ops.publications") == [("a",)]
    assert rows("select * from team.total") == before


def test_a_lost_table_is_refused_with_every_view_on_it() -> None:
    run_id = build("b", CUSTOMERS)
    with pytest.raises(PublicationRefusedError, match=r"marts.orders \(removed\)") as refusal:
        publish("b", run_id, catalogue=CATALOGUE)
    assert "team.amounts, team.order_count, team.total." in str(refusal.value)


def test_allowed_breaking_drops_only_the_views_that_use_the_column_and_keeps_their_definition() -> (
    None
):
    published = build_and_publish("b", CUSTOMERS, ORDERS, WITHOUT_AMOUNT, allow_breaking=True)
    assert [view.view_name for view in published.dropped_views] == ["team.amounts", "team.total"]
    assert "net_amount" in published.dropped_views[0].definition
    assert rows("select orders from team.order_count") == [(5,)]
    assert columns("marts.orders") == ["order_id", "customer_id", "version"]
    kept = "select view_name, definition from ops.publication_views where outcome = 'dropped'"
    assert [name for name, _ in rows(kept)] == ["team.amounts", "team.total"]


def test_a_dropped_view_can_be_made_again_from_its_kept_definition() -> None:
    published = build_and_publish("b", CUSTOMERS, ORDERS, WITHOUT_AMOUNT, allow_breaking=True)
    build_and_publish("a")
    for view in published.dropped_views:
        run(view.definition)
    assert len(rows("select * from team.total")) == 1


def test_allowed_retyping_makes_views_again_that_still_work() -> None:
    published = build_and_publish("b", CUSTOMERS, ORDERS, RETYPED, allow_breaking=True)
    assert published.dropped_views == ()
    assert {view.view_name for view in published.analyst_views} == {
        "team.amounts",
        "team.order_count",
        "team.total",
    }
    assert "numeric(24,6)" in str(
        rows(
            "select format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = 'team.amounts'::regclass and attname = 'net_amount'"
        )
    )


def test_a_removed_table_takes_its_views_only_when_allowed() -> None:
    published = build_and_publish("b", CUSTOMERS, allow_breaking=True)
    assert [view.view_name for view in published.dropped_views] == [
        "team.amounts",
        "team.order_count",
        "team.total",
    ]
    assert rows("select to_regclass('marts.orders')") == [(None,)]


def test_views_made_again_keep_owner_grants_comments_and_options(warehouse: str) -> None:
    with person(warehouse, "concord_analyst") as owner, person(warehouse) as reader:
        owner_name, reader_name = (url.split("user=")[1].split()[0] for url in (owner, reader))
        run("alter view team.order_count set (security_barrier = true)")
        run(f"grant usage, create on schema team to {owner_name}")
        run("grant usage on schema team to public")
        run(f"alter view team.order_count owner to {owner_name}")
        run(f"grant select (orders) on team.order_count to {reader_name}", owner)
        run(f"grant select on marts.orders to {reader_name} with grant option")
        state = """
            select c.relname, c.relowner, c.relacl::text, a.attacl::text, c.reloptions,
                obj_description(c.oid), col_description(c.oid, 1)
            from pg_class as c
            inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = 1
            where c.oid in ('team.order_count'::regclass, 'marts.orders'::regclass)
            order by 1
        """
        before = rows(state)
        build_and_publish("b", CUSTOMERS, ORDERS, WITHOUT_AMOUNT, allow_breaking=True)
        assert rows(state) == before
        assert rows("select orders from team.order_count", reader) == [(5,)]


def test_a_function_on_a_view_that_must_go_is_named() -> None:
    run(
        "create function team.one() returns bigint begin atomic "
        "select count(net_amount) from marts.orders; end"
    )
    with pytest.raises(PublicationRefusedError, match=r"function team\.one\(\) depends on"):
        build_and_publish("b", CUSTOMERS, ORDERS, WITHOUT_AMOUNT, allow_breaking=True)
    assert len(rows("select * from team.total")) == 1


def test_a_materialized_view_is_made_again_with_its_rows_and_indexes() -> None:
    run(
        "create materialized view team.snapshot as select order_id from marts.orders;"
        "create unique index snapshot_key on team.snapshot (order_id)"
    )
    build_and_publish("b", CUSTOMERS, ORDERS, WITHOUT_AMOUNT, allow_breaking=True)
    assert rows("select count(*) from team.snapshot") == [(5,)]
    assert rows("select to_regclass('team.snapshot_key') is not null") == [(True,)]


def test_a_column_made_again_with_its_view_keeps_its_comment() -> None:
    gone = "alter table customers drop column name"
    build_and_publish("b", CUSTOMERS, ORDERS, gone, allow_breaking=True)
    assert rows("select col_description('marts.customers'::regclass, 2)") == [
        ("Where they read mail; 100 % personal",)
    ]
