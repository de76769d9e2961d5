"""The marts gate reads what was written since it judged last, and finds what a full one does."""

import pytest

from flows.core.warehouse import connect
from flows.gates import Verdict, judge, mart_rules, unjudged
from flows.gates.context import results_folder
from tests.fixtures.gates import World


@pytest.fixture
def world(warehouse: str) -> World:
    with connect() as connection:
        for name, mart in mart_rules.MARTS.items():
            columns = {**dict.fromkeys(mart.key, "text"), "customer_id": "text"}
            if mart.amount:
                columns |= {mart.amount: "numeric", f"{mart.amount}_reporting": "numeric"}
            if name in ("orders", "invoices"):
                columns |= {f"{name.removesuffix('s')}_date": "date", "order_id": "text"}
                columns |= {"corrects_invoice_id": "text", "type": "text"}
            if name == "order_reconciliation":
                columns |= dict.fromkeys(
                    ("unexplained_amount", "unexplained_amount_reporting"), "numeric"
                )
            if name == "customer_crosswalk":
                columns["is_current"] = "boolean"
            if name.endswith("_lines"):
                columns[f"{name.removesuffix('_lines')}_id"] = "text"
            listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            connection.execute(f"create table marts_b.{name} ({listed})".encode())
    change(
        "insert into marts_b.customers select 'C' || n from generate_series(1, 40) as n",
        "insert into marts_b.orders (source_system, order_id, customer_id, net_amount, "
        "net_amount_reporting) select 'erp', 'O' || n, 'C' || n, 10, 10 "
        "from generate_series(1, 40) as n",
        "insert into marts_b.order_lines (source_system, order_line_id, order_id, customer_id, "
        "net_amount, net_amount_reporting) select 'erp', 'L' || n, 'O' || n, 'C' || n, 10, 10 "
        "from generate_series(1, 40) as n",
    )
    return World()


def change(*statements: str) -> None:
    with connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def rewrite(mart: str, column: str, *keys: str, system: str | None = "erp") -> None:
    """Note what dbt notes when it replaces the rows of these keys."""
    with connect() as connection:
        for key in keys:
            connection.execute(
                "insert into ops.rewritten_keys values ('b', %s, %s, %s, %s)",
                (mart, column, system, key),
            )


def read_rows(*marts: str) -> dict[str, int]:
    """Return how many rows of each mart the gate would read now; a mart read whole is left out."""
    with connect() as connection:
        found = unjudged.parts(connection, "b", marts or mart_rules.MARTS)
        unjudged.clear(connection, found)
    return {mart: table.rows for mart, table in found.items()}


def counts(verdict: Verdict) -> dict[tuple[str, str], tuple[int, int, str]]:
    return {
        (result.suite, result.rule): (result.failed, result.checked, result.outcome)
        for result in verdict.results
    }


def failures(run_id: int) -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(
            "select rule, entity, source_system, source_key from ops.failures where run_id = %s "
            "order by rule, entity, source_key",
            (run_id,),
        ).fetchall()


def judged_in_part_and_in_full(world: World) -> Verdict:
    """Judge what changed, then everything; both must find the same. Return the first verdict."""
    first = world.start_run()
    in_part = judge("marts", run_id=first, slot="b")
    change("delete from ops.judged_marts")
    second = world.start_run()
    in_full = judge("marts", run_id=second, slot="b")
    assert counts(in_part) == counts(in_full)
    assert failures(first) == failures(second)
    return in_part


def test_a_slot_that_was_never_judged_is_read_whole(world: World) -> None:
    assert read_rows() == {}


def test_only_the_rows_that_were_replaced_are_read_again(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    assert set(read_rows().values()) == {0}
    assert read_rows().keys() == mart_rules.MARTS.keys()
    rewrite("orders", "order_id", "O3", "O4")
    rewrite("order_lines", "order_id", "O4")
    assert read_rows("orders", "order_lines") == {"orders": 2, "order_lines": 1}


def test_what_is_wrong_in_replaced_rows_is_found(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    change(
        "update marts_b.orders set customer_id = 'C99' where order_id = 'O3'",
        "update marts_b.order_lines set net_amount = 11 where order_id = 'O4'",
    )
    rewrite("orders", "order_id", "O3")
    rewrite("order_lines", "order_id", "O4")
    verdict = judged_in_part_and_in_full(world)
    assert {(result.rule, result.failed) for result in verdict.results if result.failed} == {
        ("customer_is_known", 1),
        ("lines_sum_to_header", 1),
    }


def validated(run_id: int) -> set[str]:
    """Name the suites that Great Expectations has a result of for a run."""
    folders = (results_folder() / "results").glob(f"*/run {run_id}")
    return {folder.parent.name.removeprefix("marts__") for folder in folders}


def test_suites_without_a_row_to_judge_are_not_validated_and_find_the_same(world: World) -> None:
    first, second, third = world.start_run(), world.start_run(), world.start_run()
    in_full = judge("marts", run_id=first, slot="b")
    assert validated(first) == {"customers", "orders", "order_lines"}
    rewrite("orders", "order_id", "O3")
    judge("marts", run_id=second, slot="b")
    assert validated(second) == {"orders"}
    unchanged = judge("marts", run_id=third, slot="b")
    assert validated(third) == set()
    assert counts(unchanged) == counts(in_full)
    listed = {(result.suite, result.rule, result.query) for result in unchanged.results}
    assert listed == {(result.suite, result.rule, result.query) for result in in_full.results}


def test_rows_that_point_at_what_has_gone_are_found_though_they_stayed(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    change(
        "delete from marts_b.customers where customer_id = 'C5'",
        "delete from marts_b.orders where order_id = 'O7'",
    )
    rewrite("customers", "customer_id", "C5", "C6", system=None)
    rewrite("orders", "order_id", "O7", "O8")
    assert read_rows("orders", "order_lines") == {"orders": 2, "order_lines": 2}
    verdict = judged_in_part_and_in_full(world)
    assert {(result.suite, result.rule) for result in verdict.results if result.failed} == {
        ("marts__orders", "customer_is_known"),
        ("marts__order_lines", "customer_is_known"),
        ("marts__order_lines", "header_is_present"),
    }


def test_what_failed_before_fails_until_it_is_mended(world: World) -> None:
    change("update marts_b.orders set net_amount_reporting = null where order_id in ('O1', 'O2')")
    judge("marts", run_id=world.start_run(), slot="b")
    rewrite("orders", "order_id", "O9")
    assert read_rows("orders") == {"orders": 3}
    verdict = judged_in_part_and_in_full(world)
    assert counts(verdict)["marts__orders", "amount_is_converted"] == (2, 40, "note")
    change("update marts_b.orders set net_amount_reporting = 10 where order_id = 'O1'")
    rewrite("orders", "order_id", "O1")
    verdict = judged_in_part_and_in_full(world)
    assert counts(verdict)["marts__orders", "amount_is_converted"] == (1, 40, "note")


def test_a_failing_key_that_is_not_on_record_has_everything_read_again(world: World) -> None:
    change("update marts_b.orders set net_amount_reporting = null where order_id in ('O1', 'O2')")
    judge("marts", run_id=world.start_run(), slot="b")
    change("delete from ops.failures where source_key = 'O1'")
    assert "orders" not in read_rows()


def test_a_table_that_was_built_anew_is_read_whole_with_those_that_point_at_it(
    world: World,
) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    change("create table marts_b.fresh as table marts_b.orders", "drop table marts_b.orders")
    change("alter table marts_b.fresh rename to orders")
    assert read_rows("orders", "order_lines", "customers").keys() == {"customers"}


def test_a_mart_that_lost_rows_is_noticed_though_few_are_read(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    change(
        "with publication as (insert into ops.publications (slot, version, kind) "
        "values ('a', 1, 'publish') returning publication_id) "
        "insert into ops.publication_tables (publication_id, table_name, row_count) "
        "select publication_id, 'orders', 100 from publication"
    )
    verdict = judged_in_part_and_in_full(world)
    (blocking,) = verdict.of("block")
    assert (blocking.suite, blocking.rule) == ("marts__orders", "does_not_shrink")
    assert blocking.finding.observed == "40"


def test_changed_rules_judge_everything_again(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    change("update ops.judged_marts set rules = 'others' where mart = 'orders'")
    assert mart_rules.MARTS.keys() - read_rows().keys() == {"orders"}


def test_nothing_of_what_was_gathered_stays(world: World) -> None:
    judge("marts", run_id=world.start_run(), slot="b")
    judge("marts", run_id=world.start_run(), slot="b")
    with connect() as connection:
        left = connection.execute("select tablename from pg_tables where schemaname = 'judged'")
        assert left.fetchall() == []
