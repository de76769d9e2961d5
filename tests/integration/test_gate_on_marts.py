"""The gate on the candidate marts, and the pages that show its results."""

import pytest

from flows.core.warehouse import connect
from flows.gates import judge, markdown, mart_rules
from flows.gates.docs import build, prune
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
        connection.execute("insert into marts_b.customers values ('C1')")
        connection.execute(
            "insert into marts_b.orders (source_system, order_id, customer_id, net_amount, "
            "net_amount_reporting) values ('erp', 'O1', 'C1', 10, 10)"
        )
        connection.execute(
            "insert into marts_b.order_lines (source_system, order_line_id, order_id, net_amount, "
            "net_amount_reporting) values ('erp', 'L1', 'O1', 10, 10)"
        )
    return World()


def change(statement: str) -> None:
    with connect() as connection:
        connection.execute(statement.encode())


def test_sound_marts_pass(world: World) -> None:
    verdict = judge("marts", run_id=world.start_run(), slot="b")
    assert {(r.suite, r.rule, r.reason) for r in verdict.results if r.outcome != "pass"} == set()


def test_an_order_of_nobody_and_a_line_without_its_order_stop_the_publication(
    world: World,
) -> None:
    change("update marts_b.orders set customer_id = 'C9'")
    change("update marts_b.order_lines set order_id = 'O9'")
    verdict = judge("marts", run_id=world.start_run(), slot="b")
    assert {result.rule for result in verdict.of("block")} == {
        "customer_is_known",
        "header_is_present",
    }
    with connect() as connection:
        failures = connection.execute(
            "select rule, source_system, source_key from ops.failures order by rule"
        ).fetchall()
    assert failures == [("customer_is_known", "erp", "O1"), ("header_is_present", "erp", "L1")]
    assert "set search_path to marts_b;" in markdown(verdict)


def test_a_missing_rate_and_a_difference_are_noted(world: World) -> None:
    change("update marts_b.orders set net_amount_reporting = null, net_amount = 11")
    verdict = judge("marts", run_id=world.start_run(), slot="b")
    assert not verdict.is_refused
    assert {result.rule for result in verdict.of("note")} == {
        "amount_is_converted",
        "lines_sum_to_header",
    }


def test_a_mart_that_lost_rows_against_the_live_publication_stops_the_publication(
    world: World,
) -> None:
    change(
        "with publication as (insert into ops.publications (slot, version, kind) "
        "values ('a', 1, 'publish') returning publication_id) "
        "insert into ops.publication_tables (publication_id, table_name, row_count) "
        "select publication_id, 'orders', 100 from publication"
    )
    verdict = judge("marts", run_id=world.start_run(), slot="b")
    (blocking,) = verdict.of("block")
    assert (blocking.suite, blocking.rule) == ("marts__orders", "does_not_shrink")


def test_a_mart_that_is_not_there_stops_the_publication(world: World) -> None:
    change("drop table marts_b.quotes")
    verdict = judge("marts", run_id=world.start_run(), slot="b")
    assert {result.suite for result in verdict.of("block")} == {"marts__quotes"}
    assert "could not be judged" in verdict.reasons[0]


def test_data_docs_show_the_latest_results_and_old_ones_are_dropped(world: World) -> None:
    for _ in range(2):
        change("delete from ops.judged_marts")
        judge("marts", run_id=world.start_run(), slot="b")
    assert build().is_file()
    assert prune(kept_runs=1, kept_days=1) == len(("customers", "orders", "order_lines"))
    assert prune(kept_runs=1, kept_days=1) == 0
