"""The planted faults and differences, written down as truth."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random

from flows.sandbox.deals import (
    LINE_CAUSES,
    crm_currency,
    crm_net,
    crm_total,
    make_deal,
)
from flows.sandbox.extract import Row
from flows.sandbox.fulfilment import copy_of
from flows.sandbox.money import rounded
from flows.sandbox.ordering import add_order
from flows.sandbox.truth import OrderDifference, RowFault
from flows.sandbox.world import ZERO, Deal, Desk, World

UNREADABLE_ORDER = 800001
UNKNOWN_CURRENCY_ORDER = 800002
LOST_INVOICE = "IN800003-1"


def order_differences(world: World) -> tuple[OrderDifference, ...]:
    """Return every planted difference, CRM less ERP."""
    return tuple(_difference(world, deal) for deal in world.deals if deal.difference)


def _difference(world: World, deal: Deal) -> OrderDifference:
    cause = str(deal.difference)
    order = copy_of(deal).order_id if cause == "duplicate" else deal.order_id
    line = deal.lines[0] if cause in LINE_CAUSES else None
    crm, erp = _amounts(world, deal)
    return OrderDifference(
        cause=cause,
        order_number=None if cause == "missing_in_erp" else order,
        crm_order_number=None if cause == "missing_in_crm" else deal.crm_number,
        line_number=line.number if line else None,
        product_number=line.product.product_number if line else None,
        currency=deal.currency,
        crm_net_amount=crm,
        erp_net_amount=erp,
        difference_amount=crm - erp,
    )


def _amounts(world: World, deal: Deal) -> tuple[Decimal, Decimal]:
    """Return what each side counts: nothing for an order that is cancelled or not there."""
    if deal.difference in LINE_CAUSES:
        return crm_net(deal, deal.lines[0]), deal.lines[0].net(deal.currency)
    if deal.difference in ("missing_in_crm", "duplicate"):
        return ZERO, deal.net
    if deal.difference == "timing":
        return deal.net, deal.net
    if deal.difference == "currency":
        return _converted(world, deal), deal.net
    return crm_total(deal), ZERO


def _converted(world: World, deal: Deal) -> Decimal:
    day = deal.ordered_on
    factor = world.rate(crm_currency(deal), day) / world.rate(deal.currency, day)
    return rounded(crm_total(deal) * factor, deal.currency)


def plant_row_faults(world: World) -> tuple[RowFault, ...]:
    """Write the three documents that the first gate must hold back."""
    desk = Desk(world.plan, world.plan.random("row faults"), world.extract)
    unreadable = _extra_order(world, UNREADABLE_ORDER, desk)
    last_line = world.extract.rows(("erp", "order_lines"))[-1]
    last_line["quantity"] = f"{last_line['quantity']} pcs"
    unknown = _extra_order(world, UNKNOWN_CURRENCY_ORDER, desk)
    world.extract.rows(("erp", "orders"))[-1]["currency"] = "XQQ"
    lost = _invoice_line_without_header(world)
    return (
        RowFault("order_lines", str(last_line["order_line_id"]), "quantity_is_readable",
                 "order", unreadable.order_id),
        RowFault("orders", unknown.order_id, "currency_is_known", "order", unknown.order_id),
        RowFault("invoice_lines", str(lost["invoice_line_id"]), "header_is_present",
                 "invoice", LOST_INVOICE),
    )  # fmt: skip


def faulty_deal(world: World, number: int, random: Random) -> Deal:
    """Make up an order that came in by hand just before the export."""
    customer = next(customer for customer in world.customers if customer.account_ids)
    day = world.plan.as_of - timedelta(days=2)
    deal = make_deal(world, random, number, customer, day)
    deal.has_quote = False
    return deal


def _extra_order(world: World, number: int, desk: Desk) -> Deal:
    deal = faulty_deal(world, number, desk.random)
    status = {line.number: "open" for line in deal.lines}
    add_order(desk, deal, "open", status, deal.created_at)
    return deal


def _invoice_line_without_header(world: World) -> Row:
    """Write a line of an invoice that was never exported."""
    template = world.extract.rows(("erp", "invoice_lines"))[0]
    row = {
        **template,
        "invoice_line_id": f"{LOST_INVOICE}-1",
        "invoice_id": LOST_INVOICE,
        "line_number": 1,
        "order_line_id": None,
    }
    world.extract.append(("erp", "invoice_lines"), row)
    return row


def held_back(world: World, faults: Iterable[RowFault]) -> dict[str, int]:
    """Count the rows of the faulty documents, by `connection/entity`."""
    counts: dict[str, int] = {}
    for fault in faults:
        for table in _rows_of(world, fault):
            counts[table] = counts.get(table, 0) + 1
    return counts


def _rows_of(world: World, fault: RowFault) -> Iterator[str]:
    key = f"{fault.document_type}_id"
    for entity in (f"{fault.document_type}s", f"{fault.document_type}_lines"):
        for row in world.extract.rows(("erp", entity)):
            if row[key] == fault.document_key:
                yield f"erp/{entity}"
