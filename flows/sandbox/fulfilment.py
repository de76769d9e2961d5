"""What the ERP does with an order: goods go out in one or two shipments, each with an invoice."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from flows.sandbox.extract import Row
from flows.sandbox.invoicing import Invoice, InvoiceLine, add_credit_notes, add_invoice
from flows.sandbox.ordering import add_order, part_of
from flows.sandbox.words import CARRIERS
from flows.sandbox.world import ZERO, Deal, Desk, Line, Plan, World

Part = tuple[Line, Decimal]


@dataclass
class Progress:
    """How far one order has come."""

    stage: str
    last_change: datetime
    shipped: dict[int, Decimal] = field(default_factory=dict)
    invoices: list[Invoice] = field(default_factory=list)

    def touch(self, moment: datetime) -> None:
        """Note that something happened to the order."""
        self.last_change = max(self.last_change, moment)


def add_orders(world: World) -> None:
    """Write the ERP's side of every sale."""
    desk = Desk(world.plan, world.plan.random("fulfilment"), world.extract)
    for deal in world.deals:
        if deal.difference != "missing_in_erp":
            fulfil(desk, deal)
        if deal.difference == "duplicate":
            fulfil(desk, copy_of(deal))


def copy_of(deal: Deal) -> Deal:
    """Return the same order as a clerk typed it in a second time on the day after."""
    return replace(
        deal,
        number=900000 + deal.number,
        copy_of=deal.number,
        ordered_on=deal.ordered_on + timedelta(days=1),
        created_at=deal.created_at + timedelta(days=1),
        difference=None,
    )


def fulfil(desk: Desk, deal: Deal) -> None:
    """Write one order and everything that followed from it by the day of the export."""
    progress = Progress(_stage(desk.plan, deal), deal.created_at)
    if progress.stage in ("partially_shipped", "shipped", "invoiced"):
        _ship(desk, deal, progress)
    if progress.stage == "invoiced":
        add_credit_notes(desk, deal, progress.invoices)
        if all(invoice.open_amount == 0 for invoice in progress.invoices):
            progress.stage = "closed"
    statuses = {line.number: _line_status(line, progress) for line in deal.lines}
    add_order(desk, deal, progress.stage, statuses, progress.last_change)


def _stage(plan: Plan, deal: Deal) -> str:
    """Return how far an order of this age should be."""
    if deal.is_cancelled or deal.difference == "cancelled":
        return "cancelled"
    if deal.copy_of:
        return "released"
    age = (plan.as_of - deal.ordered_on).days
    reached = ((4, "open"), (10, "released"), (16, "partially_shipped"), (22, "shipped"))
    usual = next((stage for days, stage in reached if age < days), "invoiced")
    is_split = all(part_of(line) == 0 for line in deal.lines)
    return "released" if usual == "partially_shipped" and is_split else usual


def _line_status(line: Line, progress: Progress) -> str:
    if progress.stage != "partially_shipped":
        return progress.stage
    shipped = progress.shipped.get(line.number, ZERO)
    if shipped == 0:
        return "released"
    return "shipped" if shipped == line.quantity else "partially_shipped"


def _shipments(deal: Deal, stage: str, random: Random) -> list[list[Part]]:
    """Return which quantities go out together."""
    whole = [(line, line.quantity) for line in deal.lines]
    first = [(line, part_of(line)) for line in deal.lines if part_of(line) > 0]
    if stage == "partially_shipped":
        return [first]
    if not first or random.random() < 0.7:
        return [whole]
    rest = [(line, line.quantity - part_of(line)) for line in deal.lines]
    return [first, rest]


def _ship(desk: Desk, deal: Deal, progress: Progress) -> None:
    parts = _shipments(deal, progress.stage, desk.random)
    billed: dict[int, Decimal] = {}
    shipped_on = deal.ordered_on + timedelta(days=3)
    for number, shipment in enumerate(parts, start=1):
        shipped_on += timedelta(days=desk.random.randint(0, 4))
        shipped_at = desk.moment(shipped_on)
        _add_shipment(desk, deal, number, shipment, shipped_at)
        progress.touch(shipped_at)
        lines = list(_billable(deal, shipment, progress, billed))
        if progress.stage == "shipped" and number == len(parts):
            continue
        invoice = add_invoice(desk, deal, number, lines, shipped_on)
        progress.invoices.append(invoice)
        progress.touch(invoice.issued_at)


def _billable(
    deal: Deal, shipment: list[Part], progress: Progress, billed: dict[int, Decimal]
) -> Iterator[InvoiceLine]:
    """Give each shipped part its amount; the last part of a line takes what is left of it."""
    for line, quantity in shipment:
        shipped = progress.shipped.get(line.number, ZERO) + quantity
        progress.shipped[line.number] = shipped
        before = billed.get(line.number, ZERO)
        whole = line.net(deal.currency)
        is_last = shipped == line.quantity
        net = whole - before if is_last else line.net(deal.currency, quantity)
        billed[line.number] = before + net
        yield InvoiceLine(line, quantity, line.unit_price, net)


def _add_shipment(
    desk: Desk, deal: Deal, number: int, shipment: list[Part], shipped_at: datetime
) -> None:
    shipment_id = f"SH{deal.number:06d}-{number}"
    arrived = shipped_at + timedelta(days=desk.random.randint(1, 4))
    delivered_at = arrived if arrived.date() < desk.plan.as_of else None
    modified = delivered_at or shipped_at
    row: Row = {
        "shipment_id": shipment_id,
        "shipment_number": shipment_id,
        "order_id": deal.order_id,
        "customer_id": deal.customer.customer_id,
        "shipped_at": shipped_at.isoformat(),
        "delivered_at": delivered_at.isoformat() if delivered_at else None,
        "carrier": desk.random.choice(CARRIERS),
        "tracking_number": f"{desk.random.randint(10**9, 10**10 - 1)}",
        "ship_to_address_id": deal.customer.shipping_address_id,
    }
    desk.add(("erp", "shipments"), shipped_at, modified, row)
    for line, quantity in shipment:
        line_row = _shipment_line(deal, shipment_id, line, quantity, shipped_at.date())
        desk.add(("erp", "shipment_lines"), shipped_at, shipped_at, line_row)


def _shipment_line(deal: Deal, shipment_id: str, line: Line, quantity: Decimal, day: date) -> Row:
    is_single = quantity == 1 and line.product.unit == "C62"
    return {
        "shipment_line_id": f"{shipment_id}-{line.number}",
        "shipment_id": shipment_id,
        "order_line_id": deal.line_id(line),
        "product_number": line.product.product_number,
        "quantity": quantity,
        "unit": line.product.unit,
        "serial_number": f"SN{deal.number:06d}{line.number}" if is_single else None,
        "lot_number": None if is_single else f"LOT{day:%y%m}{line.number}",
    }
