"""The day after: the extracts of what is new and what changed since the company was exported."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from flows.sandbox.accounts import add_account
from flows.sandbox.catalogue import add_rates
from flows.sandbox.day import Day, counts_by_kind, key_of
from flows.sandbox.deals import make_deal, total
from flows.sandbox.extract import Row, write
from flows.sandbox.fulfilment import fulfil
from flows.sandbox.parties import add_customer, make_customer
from flows.sandbox.planted import UNREADABLE_ORDER, faulty_deal
from flows.sandbox.selling import add_sale
from flows.sandbox.truth import CompanyTruth, DayTruth, write_truth
from flows.sandbox.words import COUNTRIES
from flows.sandbox.world import Deal, Desk, World

ERP_ORDERS, ERP_LINES = ("erp", "orders"), ("erp", "order_lines")
FIRST_NEW_CUSTOMER, FIRST_NEW_ORDER = 5000, 500000


def write_day_of_changes(folder: Path, truth: CompanyTruth, day: int = 1) -> DayTruth:
    """Write the next day's extract under the same names: only new and changed rows.

    Files of entities in which nothing happened stay as they are.
    """
    today = Day(truth, day)
    _add_new_business(today)
    _change_orders(today)
    _take_payments(today)
    renamed, moved = _rename_and_move(today)
    merged = _merge_accounts(today)
    _delete(today)
    _send_late_version(today)
    repaired = _repair_order(today)
    known = _day_truth(today, renamed, moved, merged, repaired)
    write(today.delta, folder)
    write_truth(known, folder, f"truth_day_{day}.json")
    return known


def day_rates(world: World, today: date) -> dict[tuple[str, date], Decimal]:
    """Return the rates of one day."""
    return {key: rate for key, rate in world.rates.items() if key[1] == today}


def _add_new_business(today: Day) -> None:
    plan, random = today.world.plan, today.desk.random
    add_rates(day_rates(today.world, today.today), today.delta)
    for number in range(plan.count(3)):
        country = random.choice(COUNTRIES)
        first = FIRST_NEW_CUSTOMER + 100 * today.number
        customer = make_customer(today.desk.plan, random, first + number, country)
        customer.created_at = today.desk.moment(today.today)
        add_customer(today.desk.plan, customer, random, today.delta)
        add_account(today.desk.plan, customer, random, today.delta)
        _stamp_as_new(today, customer.created_at)
        today.world.customers.append(customer)
    buyers = [customer for customer in today.world.customers if customer.account_ids]
    for number in range(plan.count(12)):
        order = FIRST_NEW_ORDER + 1000 * today.number + number
        deal = make_deal(today.world, random, order, random.choice(buyers), today.today)
        sell_on(today.desk, deal, today.today)


def _stamp_as_new(today: Day, created_at: datetime) -> None:
    """Let rows created today have been modified when they were created."""
    for rows in today.delta.tables.values():
        for row in rows:
            if row["created_at"] == created_at.isoformat():
                row["modified_at"] = row["created_at"]


def sell_on(desk: Desk, deal: Deal, day: date) -> None:
    """Write an order of today into both systems, without a quote before it."""
    deal.created_at = desk.moment(day)
    deal.has_quote = False
    add_sale(desk, deal)
    fulfil(desk, deal)


def _open_deals(today: Day) -> list[Deal]:
    """Return the orders that can still be changed and look the same in both systems."""
    statuses = {row["order_id"]: row["status"] for row in today.world.extract.rows(ERP_ORDERS)}
    return [
        deal
        for deal in today.world.deals
        if statuses.get(deal.order_id) in ("open", "released")
        and not deal.has_quote
        and not deal.difference
    ]


def _change_orders(today: Day) -> None:
    for deal in _open_deals(today)[: today.world.plan.count(6)]:
        line = deal.lines[0]
        line.quantity += 2
        net = line.net(deal.currency)
        row = today.row(ERP_LINES, deal.line_id(line))
        today.changed(
            ERP_LINES, row, quantity=line.quantity, net_amount=net, tax_amount=deal.tax(net)
        )
        _change_headers(today, deal)
        crm_row = today.row(("crm", "sales_order_lines"), deal.crm_line_id(line))
        table = ("crm", "sales_order_lines")
        today.changed(table, crm_row, quantity=line.quantity, net_amount=net)


def _change_headers(today: Day, deal: Deal) -> None:
    tax = total(deal.tax(line.net(deal.currency)) for line in deal.lines)
    order = today.row(ERP_ORDERS, deal.order_id)
    gross = deal.net + tax
    today.changed(ERP_ORDERS, order, net_amount=deal.net, tax_amount=tax, gross_amount=gross)
    sale = today.row(("crm", "sales_orders"), deal.sales_order_id)
    today.changed(("crm", "sales_orders"), sale, net_amount=deal.net)


def _take_payments(today: Day) -> None:
    """Let customers pay what they owe on some of the oldest open invoices."""
    is_open = (
        row for row in today.world.extract.rows(("erp", "invoices")) if row["open_amount"] != 0
    )
    for _, invoice in zip(range(today.world.plan.count(15)), is_open, strict=False):
        paid_at = today.desk.moment(today.today)
        payment: Row = {
            "payment_id": f"PAY-{invoice['invoice_id']}-{paid_at:%y%m%d}",
            "customer_id": invoice["customer_id"],
            "invoice_id": invoice["invoice_id"],
            "paid_at": paid_at.isoformat(),
            "amount": invoice["open_amount"],
            "currency": invoice["currency"],
        }
        today.delta.add(("erp", "payments"), paid_at, paid_at, payment)
        today.changed(("erp", "invoices"), invoice, open_amount=Decimal(0), status="paid")


def _linked_by_keys(today: Day) -> list[str]:
    """Return the ERP keys of customers, those first whom both systems know by one key."""
    order = ("erp_customer_id", "crm_account_id", "tax_id", "registration_id", "name")
    pairs = [pair for pair in today.truth.customer_pairs if pair.link in order]
    pairs.sort(key=lambda pair: order.index(pair.link))
    return list(dict.fromkeys(pair.right_key for pair in pairs))


def _rename_and_move(today: Day) -> tuple[str, str]:
    """Rename one customer and move another; their keys say who they are."""
    renamed, moved = _linked_by_keys(today)[:2]
    customer = today.row(("erp", "customers"), renamed)
    today.changed(("erp", "customers"), customer, name=f"Nova {customer['name']}")
    address = today.row(("erp", "addresses"), f"{moved}-B")
    today.changed(("erp", "addresses"), address, street="New Harbour 1", street2="Building C")
    return renamed, moved


def _merge_accounts(today: Day) -> tuple[str, str]:
    """Let the CRM merge two accounts of one customer; the second lives on in the first."""
    duplicate = next(pair for pair in today.truth.customer_pairs if pair.link == "duplicate")
    row = today.row(("crm", "accounts"), duplicate.right_key)
    today.changed(("crm", "accounts"), row, merged_into_id=duplicate.left_key)
    return duplicate.left_key, duplicate.right_key


def _delete(today: Day) -> None:
    """Delete two contacts and a lead in the CRM."""
    contacts = today.world.extract.rows(("crm", "contacts"))
    for row in contacts[-2:]:
        today.changed(("crm", "contacts"), row, is_deleted=True)
    lead = today.world.extract.rows(("crm", "leads"))[0]
    today.changed(("crm", "leads"), lead, is_deleted=True)


def _send_late_version(today: Day) -> None:
    """Send one customer as it was a year earlier, which must change nothing."""
    row = today.untouched(("erp", "customers"))
    earlier = datetime.fromisoformat(str(row["modified_at"])) - timedelta(days=365)
    old: Row = {**row, "phone": "+45 00 000000", "modified_at": earlier.isoformat()}
    today.delta.append(("erp", "customers"), old)
    today.late_keys.append(key_of(row))


def _repair_order(today: Day) -> str:
    """Send the order whose quantity could not be read again, whole and readable."""
    plan = today.world.plan
    deal = faulty_deal(today.world, UNREADABLE_ORDER, plan.random("row faults"))
    add_sale(today.desk, deal)
    today.changed(ERP_ORDERS, today.row(ERP_ORDERS, deal.order_id))
    for line in deal.lines:
        row = today.row(ERP_LINES, deal.line_id(line))
        today.changed(ERP_LINES, row, quantity=line.quantity)
    return deal.order_id


def _day_truth(
    today: Day, renamed: str, moved: str, merged: tuple[str, str], repaired: str
) -> DayTruth:
    counts = counts_by_kind(today)
    lines = sum(row["order_id"] == repaired for row in today.delta.rows(ERP_LINES))
    order_rows = {"erp/orders": 1, "erp/order_lines": lines}
    held = {
        table: count - order_rows.get(table, 0)
        for table, count in today.truth.expected_quarantined.items()
    }
    staged = Counter(today.truth.expected_staged) + counts["new"] + Counter(order_rows)
    return DayTruth(
        day=today.number,
        files="only new and changed rows",
        new=dict(counts["new"]),
        changed=dict(counts["changed"]),
        deleted=dict(counts["deleted"]),
        late=dict(counts["late"]),
        late_keys=tuple(today.late_keys),
        renamed_customer=renamed,
        moved_customer=moved,
        merged_accounts=merged,
        repaired_order=repaired,
        expected_quarantined=held,
        expected_staged=dict(staged),
    )
