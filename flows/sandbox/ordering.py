"""The ERP's orders with their lines and their audit trail."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from flows.sandbox.deals import total
from flows.sandbox.extract import Row
from flows.sandbox.world import Deal, Desk, Line

SERVICE = "svc-integration"
CLERKS = ("k.lund", "m.hansen", "p.dupont")


def add_order(
    desk: Desk, deal: Deal, status: str, line_status: dict[int, str], modified: datetime
) -> None:
    """Write one order with its lines and events."""
    entry = _entry_source(deal, desk.random)
    actor = SERVICE if entry in ("integration", "edi", "web") else desk.random.choice(CLERKS)
    tax = total(deal.tax(line.net(deal.currency)) for line in deal.lines)
    wanted = deal.ordered_on + timedelta(days=desk.random.randint(5, 20))
    row: Row = {
        "order_id": deal.order_id,
        "order_number": deal.order_id,
        "customer_id": deal.customer.customer_id,
        "order_date": deal.ordered_on.isoformat(),
        "requested_date": wanted.isoformat(),
        "promised_date": (wanted + timedelta(days=desk.random.choice((0, 0, 2, 5)))).isoformat(),
        "status": status,
        "currency": deal.currency,
        "net_amount": deal.net,
        "tax_amount": tax,
        "gross_amount": deal.net + tax,
        "external_reference": None if deal.difference == "missing_in_crm" else deal.crm_number,
        "bill_to_address_id": deal.customer.billing_address_id,
        "ship_to_address_id": deal.customer.shipping_address_id,
        "entry_source": entry,
        "created_by": actor,
        "company": deal.customer.company,
    }
    desk.add(("erp", "orders"), deal.created_at, modified, row)
    for line in deal.lines:
        line_row = _line_row(deal, line, line_status[line.number])
        desk.add(("erp", "order_lines"), deal.created_at, modified, line_row)
    _add_events(desk, deal, status, actor)


def _entry_source(deal: Deal, random: Random) -> str:
    usual = random.choice(("integration",) * 6 + ("manual",) * 3 + ("edi",))
    if deal.copy_of:
        return "manual"
    return "web" if deal.difference == "missing_in_crm" else usual


def _line_row(deal: Deal, line: Line, status: str) -> Row:
    net = line.net(deal.currency)
    return {
        "order_line_id": deal.line_id(line),
        "order_id": deal.order_id,
        "line_number": line.number,
        "product_number": line.product.product_number,
        "description": line.product.name,
        "quantity": line.quantity,
        "unit": line.product.unit,
        "unit_price": line.unit_price,
        "discount_pct": line.discount_pct,
        "net_amount": net,
        "tax_amount": deal.tax(net),
        "status": status,
        "kit_parent_line_id": None,
    }


def _add_events(desk: Desk, deal: Deal, status: str, actor: str) -> None:
    clerk = desk.random.choice(CLERKS)
    events = [("created", actor)]
    if desk.random.random() < 0.1:
        events.append(("changed", clerk))
    if status not in ("open", "cancelled"):
        events.append(("released", clerk))
    if status == "cancelled":
        events.append(("cancelled", clerk))
    for place, (event, who) in enumerate(events):
        _add_event(desk, deal, place, event, who)


def _add_event(desk: Desk, deal: Deal, place: int, event: str, who: str) -> None:
    """Write one line of the audit trail, one hour after the one before."""
    happened = deal.created_at + timedelta(hours=place)
    is_change = event == "changed"
    row: Row = {
        "event_id": f"{deal.order_id}-E{place + 1}",
        "order_id": deal.order_id,
        "event": event,
        "field": "requested_date" if is_change else None,
        "old_value": deal.ordered_on.isoformat() if is_change else None,
        "new_value": (deal.ordered_on + timedelta(days=10)).isoformat() if is_change else None,
        "actor": who,
        "actor_is_service": who == SERVICE,
        "occurred_at": happened.isoformat(),
    }
    desk.add(("erp", "order_events"), happened, happened, row)


def part_of(line: Line) -> Decimal:
    """Return the half of a line that can be shipped first, perhaps nothing."""
    step = Decimal(1) if line.product.unit in ("C62", "SET") else Decimal("0.5")
    return line.quantity / 2 // step * step
