"""The depot says what a customer has, and follows customers who are merged and parted."""

from datetime import date

from tests.integration.documents import (
    belongs_to,
    bill,
    build,
    line,
    order,
    prepare,
    rows,
    send_back,
    ship,
)
from tests.integration.staged import new_run, stage

DEPOT = (
    "select customer_id, serial_number, lot_number, units_bought, units_returned, units_in_use, "
    "order_count, invoice_ids, net_amount_reporting from marts_a.purchased_products "
    "order by customer_id, serial_number, lot_number"
)


def test_the_depot_follows_units_returns_and_customers(warehouse: str) -> None:
    run_id = prepare()
    stage("customers", "erp", run_id, customer_id="c2", name="Firma AS")
    belongs_to("C-2", "c2", run_id)
    order(run_id)
    line(run_id, "l1")
    ship(run_id, "S1", "l1", 1, serial_number="SN1")
    ship(run_id, "S2", "l1", 6, lot_number="LOT7")
    bill(run_id, "I1", "l1", 7, 70)
    send_back(run_id, "R1", "l1", 2)
    # Ordered by the dozen, sent and returned in pieces: counted in pieces.
    line(run_id, "l3", quantity=1, unit="DZN", net_amount=24)
    ship(run_id, "S4", "l3", 12, lot_number="LOT9")
    send_back(run_id, "R2", "l3", 6)
    order(run_id, "O2", customer_id="c2", order_date=date(2026, 4, 1))
    line(run_id, "l2", "O2", quantity=5, net_amount=60)
    ship(run_id, "S3", "l2", 5, order_id="O2", lot_number="LOT7", customer_id="c2")
    build("a", run_id)
    before = rows(DEPOT)
    assert before == [
        ("C-1", "SN1", None, 1, 1, 0, 1, "I1", 10),
        ("C-1", None, "LOT7", 6, 1, 5, 1, "I1", 60),
        ("C-1", None, "LOT9", 12, 6, 6, 1, None, 24),
        ("C-2", None, "LOT7", 5, 0, 5, 1, None, 60),
    ]
    first_and_last = "select min(first_order_date), max(last_order_date) from "
    assert rows(f"{first_and_last} marts_a.purchased_products") == [
        (date(2026, 3, 1), date(2026, 4, 1))
    ]
    sites = "select distinct customer_id from marts_a.purchased_products where site_key is not null"
    assert {site for (site,) in rows(sites)} == {"C-1", "C-2"}

    # Two records turn out to be one customer: the lot at their site is one row.
    run_id = new_run()
    belongs_to("C-1", "c2", run_id)
    build("a", run_id)
    assert rows(DEPOT) == [
        ("C-1", "SN1", None, 1, 1, 0, 1, "I1", 10),
        ("C-1", None, "LOT7", 11, 1, 10, 2, "I1", 120),
        ("C-1", None, "LOT9", 12, 6, 6, 1, None, 24),
    ]

    # A steward parts them again, and everything is as it was.
    run_id = new_run()
    belongs_to("C-2", "c2", run_id)
    build("a", run_id)
    assert rows(DEPOT) == before


def test_goods_of_an_unknown_customer_find_their_owner_when_it_is_known(warehouse: str) -> None:
    run_id = prepare()
    order(run_id, customer_id="c9")
    line(run_id, "l1")
    ship(run_id, "S1", "l1", 10, customer_id="c9")
    build("a", run_id)
    owner = "select customer_id, owner_key, units_in_use from marts_a.purchased_products"
    assert rows(owner) == [(None, "order|erp|O1", 10)]
    run_id = new_run()
    stage("customers", "erp", run_id, customer_id="c9", name="Later AS")
    belongs_to("C-9", "c9", run_id)
    build("a", run_id)
    assert rows(owner) == [("C-9", "C-9", 10)]


def test_what_is_only_billed_and_kits_are_in_the_depot(warehouse: str) -> None:
    run_id = prepare()
    order(run_id)
    line(run_id, "service", product_number="S", quantity=2)
    bill(run_id, "I1", "service", 2, 100)
    order(run_id, "O2")
    line(run_id, "kit", "O2", product_number="K", quantity=1)
    line(run_id, "part", "O2", quantity=3, net_amount=0, kit_parent_line_id="kit")
    ship(run_id, "S1", "part", 3, order_id="O2")
    build("a", run_id)
    depot = (
        "select product_number, units_bought, units_without_shipment, net_amount_reporting "
        "from marts_a.purchased_products order by 1"
    )
    assert rows(depot) == [("A", 3, 0, 0), ("K", 1, 1, 100), ("S", 2, 2, 100)]
