"""An export that went wrong, which the gate must refuse whole, and the same export put right."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from flows.sandbox.assembly import make_company
from flows.sandbox.catalogue import add_rates, make_rates
from flows.sandbox.days import ERP_LINES, ERP_ORDERS, day_rates, sell_on
from flows.sandbox.deals import make_deal
from flows.sandbox.extract import Extract, Row, write
from flows.sandbox.truth import BatchTruth, CompanyTruth, write_truth
from flows.sandbox.world import Desk, Plan

DAY = 2
FIRST_ORDER = 620000
AMOUNTS = ("unit_price", "net_amount", "tax_amount")
BLOCKED_RULES = (
    "lines_sum_to_header",
    "net_amount_is_readable",
    "quantity_is_readable",
    "tax_amount_is_readable",
    "unit_price_is_readable",
)
EXPORTED = (
    ("crm", "sales_orders"),
    ("crm", "sales_order_lines"),
    ("erp", "fx_rates"),
    ERP_ORDERS,
    ERP_LINES,
)


def write_refused_batch(folder: Path, truth: CompanyTruth) -> BatchTruth:
    """Write the orders of a day as a misconfigured export does: in another country's numbers.

    Two thirds of the orders have decimal commas in their lines; in the rest the comma was
    lost, so that the lines are a hundred times what the header says.
    """
    extract = _orders_of_the_day(truth)
    for row in extract.rows(ERP_LINES):
        if _number(row) % 3:
            _write_with_commas(row)
        else:
            _lose_the_commas(row)
    failing = {"erp/orders": len(extract.rows(ERP_ORDERS)),
               "erp/order_lines": len(extract.rows(ERP_LINES))}  # fmt: skip
    known = BatchTruth(
        is_refused=True,
        expected_blocked_rules=BLOCKED_RULES,
        failing_rows=failing,
        file_rows=extract.counts(),
        added_rows={},
        order_ids=_order_ids(extract),
    )
    return _written(extract, folder, known, "truth_refused.json")


def write_repair(folder: Path, truth: CompanyTruth) -> BatchTruth:
    """Write the same orders as they should have been exported: same keys, same times."""
    extract = _orders_of_the_day(truth)
    known = BatchTruth(
        is_refused=False,
        expected_blocked_rules=(),
        failing_rows={},
        file_rows=extract.counts(),
        added_rows=extract.counts(),
        order_ids=_order_ids(extract),
    )
    return _written(extract, folder, known, "truth_repair.json")


def _written(extract: Extract, folder: Path, known: BatchTruth, name: str) -> BatchTruth:
    write(extract, folder)
    write_truth(known, folder, name)
    return known


def _orders_of_the_day(truth: CompanyTruth) -> Extract:
    plan = Plan(truth.seed, truth.scale, truth.as_of)
    world = make_company(plan)[0]
    world.rates = make_rates(plan, days_ahead=DAY)
    today = truth.as_of + timedelta(days=DAY)
    later = Plan(truth.seed, truth.scale, today)
    desk = Desk(later, plan.random("spoilt day"), Extract())
    add_rates(day_rates(world, today), desk.extract)
    buyers = [customer for customer in world.customers if customer.account_ids]
    for number in range(plan.count(30, at_least=3)):
        buyer = desk.random.choice(buyers)
        deal = make_deal(world, desk.random, FIRST_ORDER + number, buyer, today)
        sell_on(desk, deal, today)
    return Extract({table: desk.extract.rows(table) for table in EXPORTED})


def _order_ids(extract: Extract) -> tuple[str, ...]:
    return tuple(str(row["order_id"]) for row in extract.rows(ERP_ORDERS))


def _number(row: Row) -> int:
    """Return the number in an order's key."""
    return int(str(row["order_id"])[2:])


def _write_with_commas(row: Row) -> None:
    for name in ("quantity", *AMOUNTS):
        text = f"{row[name]:,.2f}"
        row[name] = text.translate(str.maketrans(",.", ".,"))


def _lose_the_commas(row: Row) -> None:
    for name in AMOUNTS:
        value = row[name]
        row[name] = int(value * 100) if isinstance(value, Decimal) else value
