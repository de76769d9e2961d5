"""The slot that is not live is got ready by copying the live one."""

import pytest

from flows.core.warehouse import connect
from flows.publishing import copy_live_to_spare, finish_build, slot_version
from flows.publishing.slots import begin_build
from tests.fixtures.marts import CUSTOMERS, ORDERS, build, build_and_publish, fill, rows, start_run

INDEXED = "create index on orders (customer_id) where net_amount > 0"
SHAPE = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    col_description(c.oid, a.attnum), obj_description(c.oid, 'pg_class')
from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = '{schema}'::regnamespace and c.relkind = 'r' order by 1, a.attnum
"""
INDEXES = """
select tablename, regexp_replace(indexdef, 'INDEX \\S+ ON {schema}', 'INDEX ON') from pg_indexes
where schemaname = '{schema}' order by 1, 2
"""


@pytest.fixture
def published(warehouse: str) -> None:
    build_and_publish("a", CUSTOMERS, ORDERS, INDEXED)


def both(query: str) -> list[list[tuple[object, ...]]]:
    return [rows(query.replace("{schema}", schema)) for schema in ("marts_a", "marts_b")]


def version(slot: str) -> int:
    with connect() as connection:
        return slot_version(connection, slot)


def test_the_copy_has_the_same_rows_keys_indexes_and_comments(published: None) -> None:
    assert copy_live_to_spare("hash")
    for table in ("customers", "orders"):
        original, copy = both(f"select * from {{schema}}.{table} order by 1")
        assert copy == original
        assert copy
    for query in (SHAPE, INDEXES):
        original, copy = both(query)
        assert copy == original
        assert copy
    assert version("b") == version("a")


def test_what_was_judged_of_the_original_holds_for_the_copy(published: None) -> None:
    run_id = start_run()
    with connect() as connection:
        connection.execute(
            "insert into ops.judged_marts values "
            "('a', 'orders', pg_relation_filenode('marts_a.orders'), 'rules', %(run)s), "
            # Built anew since it was judged: nothing is known of the copy either.
            "('a', 'customers', pg_relation_filenode('marts_a.orders'), 'rules', %(run)s), "
            "('b', 'orders', 1, 'older rules', %(run)s)",
            {"run": run_id},
        )
        connection.execute(
            "insert into ops.rewritten_keys values ('a', 'orders', 'order_id', null, 'O1'), "
            "('b', 'orders', 'order_id', null, 'O2')"
        )
    assert copy_live_to_spare("hash")
    assert rows(
        "select mart, rules, run_id, storage = pg_relation_filenode('marts_b.orders') "
        "from ops.judged_marts where slot = 'b'"
    ) == [("orders", "rules", run_id, True)]
    assert rows("select mart, key from ops.rewritten_keys where slot = 'b'") == [("orders", "O1")]


def test_a_second_copy_finds_nothing_to_do(published: None) -> None:
    assert copy_live_to_spare("hash")
    assert not copy_live_to_spare("hash")


def test_what_other_models_built_is_not_copied(published: None) -> None:
    assert not copy_live_to_spare("newer models")
    assert rows("select from pg_tables where schemaname = 'marts_b'") == []


def test_nothing_is_copied_before_the_first_publication(warehouse: str) -> None:
    build("a")
    assert not copy_live_to_spare("hash")


def test_a_slot_of_older_models_is_replaced_by_a_copy(published: None) -> None:
    run_id = start_run()
    begin_build("b", run_id)
    fill("b", run_id, "create table gone (id int)")
    finish_build("b", run_id, "older models")
    assert copy_live_to_spare("hash")
    assert rows("select tablename from pg_tables where schemaname = 'marts_b' order by 1") == [
        ("customers",),
        ("orders",),
    ]
