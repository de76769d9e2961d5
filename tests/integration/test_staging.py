"""Staging holds the newest accepted version of every key."""

import pytest

from flows.core.dbt import run_dbt
from flows.core.errors import TransformationError
from tests.fixtures.raw import RawWarehouse
from tests.fixtures.seeds import seed


@pytest.fixture
def raw(warehouse: str) -> RawWarehouse:
    prepared = RawWarehouse(warehouse)
    seed()
    prepared.prepare("orders")
    run_dbt(["run", "--selector", "incoming"])
    return prepared


def order(key: str, amount: int, modified: str | None = None, **more: object) -> dict[str, object]:
    return {
        "order_id": key,
        "customer_id": "C1",
        "net_amount": amount,
        "modified_at": modified,
        **more,
    }


def stage(raw: RawWarehouse) -> int:
    run = raw.run_number()
    run_dbt(["run", "--select", "incoming_orders", "stg_deletes", "stg_orders"])
    raw.mark_staged()
    return run


def staged(raw: RawWarehouse) -> list[tuple[object, ...]]:
    return raw.rows(
        "select order_id, net_amount::int, is_deleted from staging.orders order by order_id"
    )


def test_the_newest_version_wins_whenever_it_arrives(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1, "2026-01-05"), order("B", 1), order("C", 1, "2026-01-05")])
    first = stage(raw)
    raw.land("orders", [order("A", 2, "2026-01-04"), order("B", 2), order("C", 2, "2026-01-05")])
    raw.land("orders", [order("D", 9, "2026-01-09"), order("D", 8, "2026-01-08")])
    second = stage(raw)

    assert staged(raw) == [("A", 1, False), ("B", 2, False), ("C", 2, False), ("D", 9, False)]
    assert raw.rows("select version from staging.orders order by order_id") == [
        (first,),
        (second,),
        (second,),
        (second,),
    ]


def test_the_same_content_again_changes_nothing(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1)])
    stage(raw)
    before = raw.rows("select * from staging.orders")
    raw.land("orders", [order("A", 1)])
    stage(raw)
    stage(raw)

    assert raw.rows("select * from staging.orders") == before


def test_a_delete_keeps_the_last_values_and_a_later_version_revives(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1, "2026-01-05"), order("B", 1), order("C", 1)])
    raw.land(
        "orders", [{"order_id": "A"}, {"order_id": "B"}, {"order_id": "Z"}], operation="delete"
    )
    raw.land("orders", [order("C", 2, is_deleted=True)])
    stage(raw)
    assert staged(raw) == [("A", 1, True), ("B", 1, True), ("C", 2, True)]

    raw.land("orders", [order("A", 3, "2026-01-04"), order("B", 1)])
    stage(raw)

    assert staged(raw) == [("A", 1, True), ("B", 1, False), ("C", 2, True)]
    assert raw.rows("select count(*) from staging.orders where deleted_at is null") == [(1,)]


def test_a_delete_that_names_its_time_spares_newer_versions(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1, "2026-01-05"), order("B", 1, "2026-01-03")])
    stage(raw)
    deletes = [{"order_id": key, "modified_at": "2026-01-04"} for key in "ABC"]
    raw.land("orders", deletes, operation="delete")
    stage(raw)
    raw.land("orders", [order("C", 1, "2026-01-01")])
    stage(raw)

    assert staged(raw) == [("A", 1, False), ("B", 1, True), ("C", 1, True)]


def test_held_rows_stay_out_until_released(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1), order("B", 1)])
    stage(raw)
    held = raw.land("orders", [order("A", 2)])
    raw.hold("orders", held)
    stage(raw)
    assert staged(raw) == [("A", 1, False), ("B", 1, False)]

    raw.execute("update ops.batches set status = 'staged'")
    run_dbt(["run", "--select", "incoming_orders"])
    raw.close(held, "released")
    raw.run_number()
    run_dbt(["run", "--select", "stg_deletes", "stg_orders"])

    assert staged(raw) == [("A", 2, False), ("B", 1, False)]


def test_a_staging_table_that_is_gone_is_rebuilt_from_raw(raw: RawWarehouse) -> None:
    raw.land("orders", [order("A", 1), order("B", 1)])
    stage(raw)
    raw.execute("drop table staging.orders")
    stage(raw)

    assert staged(raw) == [("A", 1, False), ("B", 1, False)]


def test_a_failing_model_is_named_with_its_message_and_compiled_sql(raw: RawWarehouse) -> None:
    raw.execute("drop view raw.orders cascade")

    with pytest.raises(TransformationError, match=r"incoming_orders: .*raw.orders.*compiled SQL: "):
        run_dbt(["run", "--select", "incoming_orders"])


def test_the_integrity_test_sees_a_row_that_staging_lost_or_changed(raw: RawWarehouse) -> None:
    check = ["test", "--select", "raw_equals_staging_orders"]
    raw.land("orders", [order("A", 1), order("B", 1)])
    raw.land("orders", [order("A", 5)])
    raw.land("orders", [{"order_id": "B"}], operation="delete")
    stage(raw)
    run_dbt(check)

    raw.execute("update staging.orders set net_amount = 4 where order_id = 'A'")
    with pytest.raises(TransformationError, match="raw_equals_staging_orders"):
        run_dbt(check)

    raw.execute("delete from staging.orders where order_id = 'B'")
    with pytest.raises(TransformationError, match="raw_equals_staging_orders"):
        run_dbt(check)
