"""The working objects of the sandbox company, before they become rows of two systems."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from flows.sandbox.extract import Extract, Row, Table
from flows.sandbox.money import line_net, rounded, tax_on
from flows.sandbox.words import Country, Town

HISTORY_DAYS = 548
ZERO = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """What decides every byte: the seed, the size and the day of the export."""

    seed: int
    scale: float
    as_of: date

    @property
    def start(self) -> date:
        """The first day of business in the extract."""
        return self.as_of - timedelta(days=HISTORY_DAYS)

    def random(self, topic: str) -> Random:
        """Return a source of chance of its own, so that topics do not disturb each other."""
        return Random(f"{self.seed}/{topic}")

    def count(self, at_full_size: int, at_least: int = 1) -> int:
        """Return how many there are at this size."""
        return max(at_least, round(at_full_size * self.scale))

    def moment(self, day: date, random: Random) -> datetime:
        """Return a moment in the working hours of a day, never after the export."""
        last = min(day, self.as_of)
        clock = time(random.randint(7, 17), random.randint(0, 59), random.randint(0, 59))
        return datetime.combine(last, clock, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """Where documents are written: the plan, a source of chance and the extract."""

    plan: Plan
    random: Random
    extract: Extract

    def moment(self, day: date) -> datetime:
        """Return a moment in the working hours of a day, never after the export."""
        return self.plan.moment(day, self.random)

    def add(self, table: Table, created_at: datetime, modified_at: datetime, row: Row) -> None:
        """Write one row."""
        self.extract.add(table, created_at, modified_at, row)


@dataclass
class Customer:
    """One real company, however often it was typed in."""

    customer_id: str
    name: str
    country: Country
    town: Town
    street: str
    tax_id: str
    registration_id: str
    phone: str
    domain: str
    created_at: datetime
    account_ids: list[str] = field(default_factory=list)
    parent_id: str | None = None

    @property
    def billing_address_id(self) -> str:
        """The address that invoices go to."""
        return f"{self.customer_id}-B"

    @property
    def shipping_address_id(self) -> str:
        """The address that goods go to."""
        return f"{self.customer_id}-S"

    @property
    def company(self) -> str:
        """The legal entity that sells to this customer."""
        return {"US": "US01", "JP": "US01", "GB": "GB01"}.get(self.country.code, "DK01")


@dataclass(frozen=True)
class Product:
    """One item of the catalogue, with its price in euro."""

    product_number: str
    name: str
    category: str
    unit: str
    list_price: Decimal
    weight_kg: Decimal

    def price_in(self, currency: str, euro_rate: Decimal) -> Decimal:
        """Return the list price in another currency."""
        return rounded(self.list_price / euro_rate, currency)


@dataclass
class Line:
    """One line that both sides agreed on."""

    number: int
    product: Product
    quantity: Decimal
    list_price: Decimal
    unit_price: Decimal
    discount_pct: Decimal

    def net(self, currency: str, quantity: Decimal | None = None) -> Decimal:
        """Return the amount before tax of this line or of a part of it."""
        return line_net(quantity or self.quantity, self.unit_price, self.discount_pct, currency)


@dataclass
class Deal:
    """One sale, from which the CRM's and the ERP's documents follow."""

    number: int
    customer: Customer
    ordered_on: date
    currency: str
    lines: list[Line]
    has_quote: bool
    created_at: datetime
    difference: str | None = None
    is_cancelled: bool = False
    copy_of: int | None = None
    # Where the CRM has it otherwise: its first line, and how many days earlier it was sold.
    sold_as: Line | None = None
    sold_days_before: int = 0

    @property
    def order_id(self) -> str:
        """The ERP's key."""
        return f"SO{self.number:06d}"

    @property
    def sales_order_id(self) -> str:
        """The CRM's key."""
        return f"801-{self.number:06d}"

    @property
    def crm_number(self) -> str:
        """The CRM's order number, which the ERP keeps as its external reference."""
        return f"CRM-{self.copy_of or self.number:06d}"

    def line_id(self, line: Line) -> str:
        """Return the ERP's key of a line."""
        return f"{self.order_id}-{line.number}"

    def crm_line_id(self, line: Line) -> str:
        """Return the CRM's key of a line."""
        return f"{self.sales_order_id}-{line.number}"

    def tax(self, net: Decimal) -> Decimal:
        """Return the tax of an amount by the customer's country."""
        return tax_on(net, self.customer.country.tax_pct, self.currency)

    @property
    def sold_on(self) -> date:
        """The day of the CRM's order."""
        return self.ordered_on - timedelta(days=self.sold_days_before)

    @property
    def net(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.net(self.currency) for line in self.lines), ZERO)


@dataclass
class World:
    """The company as it is on the day of the export."""

    plan: Plan
    extract: Extract
    customers: list[Customer]
    products: list[Product]
    deals: list[Deal]
    rates: dict[tuple[str, date], Decimal]

    def rate(self, currency: str, day: date) -> Decimal:
        """Return how many euro one unit of a currency was worth."""
        return Decimal(1) if currency == "EUR" else self.rates[(currency, day)]
