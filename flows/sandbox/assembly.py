"""A small international company, put together in memory: people, sales and what followed."""

from datetime import date, timedelta
from random import Random

from flows.sandbox.accounts import add_accounts
from flows.sandbox.catalogue import add_products, add_rates, make_products, make_rates
from flows.sandbox.deals import make_deals
from flows.sandbox.extract import Extract, Row
from flows.sandbox.fulfilment import add_orders
from flows.sandbox.parties import add_leads, add_users, make_customers
from flows.sandbox.planted import held_back, order_differences, plant_row_faults
from flows.sandbox.selling import add_sales
from flows.sandbox.truth import CompanyTruth, CustomerPair
from flows.sandbox.words import CASE_REASONS
from flows.sandbox.world import Plan, World


def make_company(plan: Plan) -> tuple[World, CompanyTruth]:
    """Make the company up in memory."""
    world = World(plan, Extract(), make_customers(plan), make_products(plan), [], make_rates(plan))
    pairs = add_accounts(plan, world.customers, world.extract)
    add_users(plan, world.extract)
    add_leads(plan, world.extract)
    add_products(plan, world.products, world.extract)
    add_rates(world.rates, world.extract)
    make_deals(world)
    add_sales(world)
    add_orders(world)
    _add_cases(world)
    return world, _truth(world, pairs)


def _truth(world: World, pairs: list[CustomerPair]) -> CompanyTruth:
    faults = plant_row_faults(world)
    return CompanyTruth(
        seed=world.plan.seed,
        scale=world.plan.scale,
        as_of=world.plan.as_of,
        customers=len(world.customers),
        customer_pairs=tuple(pairs),
        order_differences=order_differences(world),
        row_faults=faults,
        expected_rows=world.extract.counts(),
        expected_quarantined=held_back(world, faults),
    )


def _add_cases(world: World) -> None:
    """Write complaints and questions, most of them about an order."""
    random = world.plan.random("cases")
    contacts = world.extract.rows(("crm", "contacts"))
    orders = world.extract.rows(("crm", "sales_orders"))
    for number in range(world.plan.count(60)):
        order = random.choice(orders)
        of_account = [row for row in contacts if row["account_id"] == order["account_id"]]
        _add_case(world, number, order, random.choice(of_account), random)


def _add_case(world: World, number: int, order: Row, contact: Row, random: Random) -> None:
    ordered_on = date.fromisoformat(str(order["order_date"]))
    opened = world.plan.moment(ordered_on + timedelta(days=random.randint(4, 40)), random)
    closed = opened + timedelta(days=random.randint(1, 12))
    is_closed = closed.date() < world.plan.as_of
    kind = random.choice(("complaint", "complaint", "question", "request", "other"))
    row: Row = {
        "case_id": f"500-{number + 1:05d}",
        "case_number": f"{number + 1:08d}",
        "account_id": order["account_id"],
        "contact_id": contact["contact_id"],
        "order_number": order["erp_order_number"] if random.random() < 0.8 else None,
        "product_number": random.choice(world.products).product_number,
        "type": kind,
        "reason": random.choice(CASE_REASONS),
        "status": "closed" if is_closed else "open",
        "opened_at": opened.isoformat(),
        "closed_at": closed.isoformat() if is_closed else None,
    }
    world.extract.add(("crm", "cases"), opened, closed if is_closed else opened, row)
