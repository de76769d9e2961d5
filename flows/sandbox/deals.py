"""Sales, as both sides agreed on them, and where the CRM will say otherwise."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random

from flows.sandbox.catalogue import substitutes
from flows.sandbox.money import HUNDRED, rounded, unit_of
from flows.sandbox.world import HISTORY_DAYS, Customer, Deal, Line, Product, World

DISCOUNTS = tuple(map(Decimal, (0, 0, 0, 0, 5, 5, 10, 15, 20)))
ROUNDING_DISCOUNTS = tuple(map(Decimal, ("12.5", "7.5", "3.3", "17.5", "2.5", "6.7")))
WHOLE_UNITS = frozenset(("C62", "SET"))

LINE_CAUSES = ("price", "quantity", "discount", "rounding", "unit", "tax", "substitution")
ORDER_CAUSES = ("missing_in_erp", "missing_in_crm", "cancelled", "duplicate", "currency", "timing")
# The order in which sales are chosen for them; what is new goes to the end and moves nothing.
CAUSES = (
    "price", "quantity", "discount", "rounding", "missing_in_erp", "missing_in_crm", "cancelled",
    "duplicate", "currency", "unit", "tax", "substitution", "timing",
)  # fmt: skip
DOZEN = 12
# Differences are planted where the ERP's order is old enough to be complete.
SETTLED_AFTER_DAYS = 40


def make_deals(world: World) -> None:
    """Make up the sales of the whole period, in the order of their dates."""
    plan = world.plan
    random = plan.random("deals")
    buyers = [customer for customer in world.customers if customer.account_ids]
    weights = [random.paretovariate(1.4) for _ in buyers]
    days = sorted(random.randrange(HISTORY_DAYS) for _ in range(plan.count(600, at_least=30)))
    for number, day in enumerate(days, start=1):
        customer = random.choices(buyers, weights)[0]
        deal = make_deal(world, random, number, customer, plan.start + timedelta(days=day))
        deal.is_cancelled = random.random() < 0.04
        world.deals.append(deal)
    _plant_differences(world)


def make_deal(
    world: World, random: Random, number: int, customer: Customer, ordered_on: date
) -> Deal:
    """Make up one sale of one to six lines."""
    currency = customer.country.currency
    chosen = random.sample(world.products, min(random.choice((1, 2, 3, 3, 4, 5)), 5))
    rate = world.rate(currency, ordered_on)
    return Deal(
        number=number,
        customer=customer,
        ordered_on=ordered_on,
        currency=currency,
        lines=[
            _make_line(place, product, currency, rate, random)
            for place, product in enumerate(chosen, start=1)
        ],
        has_quote=random.random() < 0.5,
        created_at=world.plan.moment(ordered_on, random),
    )


def _make_line(place: int, product: Product, currency: str, rate: Decimal, random: Random) -> Line:
    price = product.price_in(currency, rate)
    is_whole = product.unit in WHOLE_UNITS
    quantity = Decimal(random.randint(1, 24)) if is_whole else Decimal(random.randint(2, 120)) / 2
    return Line(place, product, quantity, price, price, random.choice(DISCOUNTS))


def _plant_differences(world: World) -> None:
    random = world.plan.random("differences")
    latest = world.plan.as_of - timedelta(days=SETTLED_AFTER_DAYS)
    settled = [d for d in world.deals if not d.is_cancelled and d.ordered_on < latest]
    random.shuffle(settled)
    for cause in CAUSES:
        for _ in range(world.plan.count(4)):
            _plant(world, cause, settled)


def _plant(world: World, cause: str, settled: list[Deal]) -> None:
    """Give the next sale that can carry it this difference."""
    prepare: dict[str, Callable[[World, Deal], bool]] = {
        "rounding": _rounds_otherwise,
        "unit": _is_sold_by_the_dozen,
        "tax": _has_tax,
        "substitution": _is_substituted,
        "timing": _is_sold_in_the_month_before,
    }
    can_carry = prepare.get(cause)
    if can_carry is None:
        settled.pop().difference = cause
        return
    # A small company may have no sale that can carry it.
    found = (place for place, deal in enumerate(settled) if can_carry(world, deal))
    if (place := next(found, None)) is not None:
        settled.pop(place).difference = cause


def _rounds_otherwise(_: World, deal: Deal) -> bool:
    """Give the first line a discount at which the two rules of rounding differ, if there is one."""
    for discount in ROUNDING_DISCOUNTS:
        line = replace(deal.lines[0], discount_pct=discount)
        if price_first_net(line, deal.currency) != line.net(deal.currency):
            deal.lines[0] = line
            return True
    return False


def _is_sold_by_the_dozen(_: World, deal: Deal) -> bool:
    """Let the CRM sell as many dozens as the ERP ordered pieces."""
    line = deal.lines[0]
    if line.product.unit != "C62":
        return False
    dozens = replace(line.product, unit="DZN")
    deal.sold_as = replace(line, product=dozens, unit_price=line.unit_price * DOZEN)
    return True


def _has_tax(_: World, deal: Deal) -> bool:
    return deal.tax(deal.lines[0].net(deal.currency)) > 0


def _is_substituted(world: World, deal: Deal) -> bool:
    """Let the ERP deliver the newer item for the one that was sold."""
    newer, older = next(substitutes(world.products), (None, None))
    numbers = {line.product.product_number for line in deal.lines}
    if not (newer and older) or numbers & {newer.product_number, older.product_number}:
        return False
    rate, first = world.rate(deal.currency, deal.ordered_on), deal.lines[0]
    prices = [item.price_in(deal.currency, rate) for item in (newer, older)]
    quantity = first.quantity.to_integral_value(ROUND_CEILING)
    lines = [
        replace(first, product=item, quantity=quantity, list_price=price, unit_price=price)
        for item, price in zip((newer, older), prices, strict=True)
    ]
    if lines[0].net(deal.currency) == lines[1].net(deal.currency):
        return False
    deal.lines[0], deal.sold_as = lines
    return True


def _is_sold_in_the_month_before(_: World, deal: Deal) -> bool:
    """Let the CRM have an order of the first days of a month in the month before."""
    if deal.has_quote or deal.ordered_on.day > 5:
        return False
    deal.sold_days_before = deal.ordered_on.day + 1
    return True


def price_first_net(line: Line, currency: str) -> Decimal:
    """Return the amount when the discounted price is rounded before it is multiplied."""
    price = rounded(line.unit_price * (HUNDRED - line.discount_pct) / HUNDRED, currency)
    return rounded(price * line.quantity, currency)


def crm_currency(deal: Deal) -> str:
    """Return the currency that the CRM has for a sale."""
    if deal.difference != "currency":
        return deal.currency
    return "EUR" if deal.currency != "EUR" else "USD"


def crm_line(deal: Deal, line: Line) -> Line:
    """Return a line as the CRM has it."""
    if line.number > 1:
        return line
    if deal.sold_as:
        return deal.sold_as
    if deal.difference == "price":
        step = max(unit_of(deal.currency), rounded(line.unit_price / 25, deal.currency))
        return replace(line, unit_price=line.unit_price + step)
    if deal.difference == "quantity":
        return replace(line, quantity=line.quantity + 2)
    if deal.difference == "discount":
        return replace(line, discount_pct=line.discount_pct + 5)
    return line


def crm_net(deal: Deal, line: Line) -> Decimal:
    """Return the amount of a line as the CRM has it, in the CRM's currency."""
    if deal.difference == "rounding" and line.number == 1:
        return price_first_net(line, deal.currency)
    if deal.difference == "tax" and line.number == 1:
        net = line.net(deal.currency)
        return net + deal.tax(net)
    # A currency mistaken for another changes the sign beside the number, not the number.
    return crm_line(deal, line).net(deal.currency)


def crm_total(deal: Deal) -> Decimal:
    """Return the amount of a sale as the CRM has it, in the CRM's currency."""
    return total(crm_net(deal, line) for line in deal.lines)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts up."""
    return sum(amounts, Decimal(0))
