"""Products of both systems and the exchange rates."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from flows.sandbox.extract import Extract, Row
from flows.sandbox.world import HISTORY_DAYS, Plan, Product

# Euro for one unit, near which each rate wanders.
MIDDLE_RATES = {
    "SEK": Decimal("0.0875000000"),
    "NOK": Decimal("0.0855000000"),
    "DKK": Decimal("0.1340500000"),
    "GBP": Decimal("1.1650000000"),
    "USD": Decimal("0.9050000000"),
    "JPY": Decimal("0.0061500000"),
    "PLN": Decimal("0.2335000000"),
}
RATE_STEP = Decimal("0.0000000001")

# Name, category, unit (UN/ECE Recommendation 20), lowest and highest price, kilograms.
FAMILIES = (
    ("Pressure gauge", "Instruments", "C62", 40, 260, "0.450"),
    ("Flow meter", "Instruments", "C62", 320, 2400, "3.200"),
    ("Servo drive", "Drives", "C62", 680, 3900, "7.500"),
    ("Ball valve", "Fittings", "C62", 12, 190, "0.900"),
    ("Sealing kit", "Spare parts", "SET", 8, 95, "0.150"),
    ("Hydraulic hose", "Fittings", "MTR", 6, 48, "0.700"),
    ("Cleaning fluid", "Consumables", "LTR", 4, 22, "1.050"),
    ("Bearing grease", "Consumables", "KGM", 9, 38, "1.000"),
)


def make_products(plan: Plan) -> list[Product]:
    """Make up the catalogue."""
    random = plan.random("products")
    return [_product(number, random.random()) for number in range(plan.count(40, at_least=8))]


def _product(number: int, chance: float) -> Product:
    name, category, unit, low, high, weight = FAMILIES[number % len(FAMILIES)]
    price = Decimal(low) + Decimal(round((high - low) * chance * 20)) / 20
    series = number // len(FAMILIES) + 1
    return Product(
        product_number=f"{category[:2].upper()}-{1000 + number}",
        name=f"{name} {series}{'ABCDEFGH'[number % len(FAMILIES)]}",
        category=category,
        unit=unit,
        list_price=price.quantize(Decimal("0.01")),
        weight_kg=Decimal(weight),
    )


def add_products(plan: Plan, products: list[Product], extract: Extract) -> None:
    """Write the catalogue into both systems."""
    random = plan.random("product rows")
    for number, product in enumerate(products, start=1):
        created = plan.moment(plan.start - timedelta(days=random.randint(10, 900)), random)
        modified = plan.moment(plan.start + timedelta(days=random.randint(0, 500)), random)
        common: Row = {"product_number": product.product_number, "name": product.name}
        priced: Row = {"list_price": product.list_price, "currency": "EUR"}
        is_active = number % 19 != 0
        extract.add(
            ("crm", "products"),
            created,
            modified,
            {"product_id": f"01t-{number:05d}", **common, "unit": product.unit, **priced,
             "is_active": is_active},
        )  # fmt: skip
        extract.add(
            ("erp", "products"),
            created,
            modified,
            {
                "product_id": f"ITEM{number:05d}",
                **common,
                "description": f"{product.name}, {product.category.lower()}",
                "category": product.category,
                "unit": product.unit,
                **priced,
                "standard_cost": (product.list_price * Decimal("0.58")).quantize(Decimal("0.01")),
                "weight_kg": product.weight_kg,
                "is_active": is_active,
                "substitutes_product_number": _predecessor(products, number),
            },
        )


def _predecessor(products: Sequence[Product], number: int) -> str | None:
    """Return the item that every thirteenth one replaces: the last of its own family."""
    before = number - 1 - len(FAMILIES)
    return products[before].product_number if number % 13 == 0 and before >= 0 else None


def substitutes(products: Sequence[Product]) -> Iterator[tuple[Product, Product]]:
    """Yield every item that replaces another one, with that one."""
    known = {product.product_number: product for product in products}
    for number, product in enumerate(products, start=1):
        if before := _predecessor(products, number):
            yield product, known[before]


def make_rates(plan: Plan, days_ahead: int = 0) -> dict[tuple[str, date], Decimal]:
    """Let each currency wander from the first day to the export, a rate for every day."""
    random = plan.random("rates")
    rates = {}
    drift = dict.fromkeys(MIDDLE_RATES, Decimal(0))
    for offset in range(-60, HISTORY_DAYS + 1 + days_ahead):
        for currency, middle in MIDDLE_RATES.items():
            step = Decimal(random.randint(-30, 30)) / 10000
            drift[currency] = drift[currency] * Decimal("0.98") + step
            rate = (middle * (1 + drift[currency])).quantize(RATE_STEP)
            rates[(currency, plan.start + timedelta(days=offset))] = rate
    return rates


def add_rates(rates: dict[tuple[str, date], Decimal], extract: Extract) -> None:
    """Write the rates, each known since the afternoon of its day."""
    for (currency, day), rate in rates.items():
        known_at = datetime.combine(day, time(16), tzinfo=UTC)
        row: Row = {"currency": currency, "rate_date": day.isoformat(), "reporting_currency": "EUR",
               "rate": rate}  # fmt: skip
        extract.add(("erp", "fx_rates"), known_at, known_at, row)
