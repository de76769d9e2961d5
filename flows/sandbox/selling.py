"""The CRM's documents of a sale: opportunity, quote and order, each with its lines."""

from datetime import datetime, timedelta
from decimal import Decimal

from flows.sandbox.deals import crm_currency, crm_line, crm_net, crm_total, make_deal
from flows.sandbox.extract import Row
from flows.sandbox.parties import USERS
from flows.sandbox.world import Deal, Desk, World

PROBABILITY = {
    "Closed Won": "1.00",
    "Prospecting": "0.10",
    "Qualification": "0.25",
    "Proposal": "0.50",
    "Negotiation": "0.75",
    "Closed Lost": "0.00",
}
QUOTE_STATUS = {"Prospecting": "draft", "Qualification": "draft", "Proposal": "presented",
                "Negotiation": "presented", "Closed Lost": "rejected"}  # fmt: skip


def add_sales(world: World) -> None:
    """Write what the CRM knows of every sale, and the sales that did not come about yet."""
    desk = Desk(world.plan, world.plan.random("selling"), world.extract)
    for deal in world.deals:
        if deal.difference != "missing_in_crm":
            add_sale(desk, deal)
    _add_hopes(world, desk)


def add_sale(desk: Desk, deal: Deal) -> None:
    """Write one sale: its opportunity and quote where it had them, and its order."""
    account_id = desk.random.choice(deal.customer.account_ids)
    if deal.has_quote:
        asked = desk.moment(deal.ordered_on - timedelta(days=desk.random.randint(5, 50)))
        _add_opportunity(desk, deal, account_id, "Closed Won", asked)
        _add_quote(desk, deal, account_id, "accepted", asked)
    desk.add(
        ("crm", "sales_orders"),
        deal.created_at,
        deal.created_at,
        {
            "sales_order_id": deal.sales_order_id,
            "order_number": deal.crm_number,
            "account_id": account_id,
            "opportunity_id": _opportunity_id(deal) if deal.has_quote else None,
            "quote_id": _quote_id(deal) if deal.has_quote else None,
            "status": "cancelled" if deal.is_cancelled else "activated",
            "order_date": deal.sold_on.isoformat(),
            "currency": crm_currency(deal),
            "net_amount": crm_total(deal),
            "erp_order_number": None if deal.difference == "missing_in_erp" else deal.order_id,
        },
    )
    _add_sales_order_lines(desk, deal)


def _add_sales_order_lines(desk: Desk, deal: Deal) -> None:
    for agreed in deal.lines:
        line = crm_line(deal, agreed)
        row: Row = {
            "sales_order_line_id": deal.crm_line_id(line),
            "sales_order_id": deal.sales_order_id,
            "line_number": line.number,
            "product_number": line.product.product_number,
            "quantity": line.quantity,
            "unit": line.product.unit,
            "unit_price": line.unit_price,
            "discount_pct": line.discount_pct,
            "net_amount": crm_net(deal, agreed),
        }
        desk.add(("crm", "sales_order_lines"), deal.created_at, deal.created_at, row)


def _opportunity_id(deal: Deal) -> str:
    return f"006-{deal.number:06d}"


def _quote_id(deal: Deal) -> str:
    return f"0Q0-{deal.number:06d}"


def _add_opportunity(desk: Desk, deal: Deal, account_id: str, stage: str, asked: datetime) -> None:
    is_won = stage == "Closed Won"
    is_closed = stage.startswith("Closed")
    modified = max(asked, deal.created_at) if is_won else asked
    row: Row = {
        "opportunity_id": _opportunity_id(deal),
        "account_id": account_id,
        "name": f"{deal.customer.name} {deal.ordered_on:%Y-%m}",
        "stage": stage,
        "probability": Decimal(PROBABILITY[stage]),
        "amount": crm_total(deal),
        "currency": crm_currency(deal),
        "close_date": deal.ordered_on.isoformat(),
        "is_closed": is_closed,
        "is_won": is_won,
        "forecast_category": "closed" if is_won else "omitted" if is_closed else "pipeline",
        "owner_id": f"U{deal.number % (len(USERS) - 1) + 1}",
    }
    desk.add(("crm", "opportunities"), asked, modified, row)
    for agreed in deal.lines:
        line = crm_line(deal, agreed)
        line_row: Row = {
            "opportunity_line_id": f"{_opportunity_id(deal)}-{line.number}",
            "opportunity_id": _opportunity_id(deal),
            "line_number": line.number,
            "product_number": line.product.product_number,
            "description": line.product.name,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "discount_pct": line.discount_pct,
            "net_amount": crm_net(deal, agreed),
        }
        desk.add(("crm", "opportunity_lines"), asked, modified, line_row)


def _add_quote(desk: Desk, deal: Deal, account_id: str, status: str, asked: datetime) -> None:
    highest = max(line.discount_pct for line in deal.lines)
    # Above ten per cent somebody has to agree.
    approved_at = (asked + timedelta(hours=3)).isoformat() if highest > 10 else None
    modified = max(asked + timedelta(hours=3), deal.created_at) if status == "accepted" else asked
    row: Row = {
        "quote_id": _quote_id(deal),
        "quote_number": f"Q-{deal.number:06d}",
        "revision": 1,
        "opportunity_id": _opportunity_id(deal),
        "account_id": account_id,
        "status": status,
        "quote_date": asked.date().isoformat(),
        "valid_until": (asked.date() + timedelta(days=60)).isoformat(),
        "currency": crm_currency(deal),
        "discount_pct": Decimal(0),
        "net_amount": crm_total(deal),
        "approved_by": "U1" if approved_at else None,
        "approved_at": approved_at,
    }
    desk.add(("crm", "quotes"), asked, modified, row)
    for agreed in deal.lines:
        line = crm_line(deal, agreed)
        line_row: Row = {
            "quote_line_id": f"{_quote_id(deal)}-{line.number}",
            "quote_id": _quote_id(deal),
            "line_number": line.number,
            "product_number": line.product.product_number,
            "quantity": line.quantity,
            "unit": line.product.unit,
            "list_price": line.list_price,
            "unit_price": line.unit_price,
            "discount_pct": line.discount_pct,
            "net_amount": crm_net(deal, agreed),
        }
        desk.add(("crm", "quote_lines"), asked, modified, line_row)


def _add_hopes(world: World, desk: Desk) -> None:
    """Write opportunities that are open or lost, most of them with a quote."""
    random = desk.random
    buyers = [customer for customer in world.customers if customer.account_ids]
    for number in range(world.plan.count(70)):
        stage = random.choice(list(QUOTE_STATUS))
        asked_on = world.plan.as_of - timedelta(days=random.randint(3, 120))
        hope = make_deal(world, random, 700001 + number, random.choice(buyers), asked_on)
        days = -random.randint(1, 2) if stage == "Closed Lost" else random.randint(5, 90)
        asked = desk.moment(asked_on)
        hope.ordered_on = world.plan.as_of + timedelta(days=days)
        account_id = hope.customer.account_ids[0]
        _add_opportunity(desk, hope, account_id, stage, asked)
        if random.random() < 0.7:
            _add_quote(desk, hope, account_id, QUOTE_STATUS[stage], asked)
