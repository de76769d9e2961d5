"""The rows of the big company, each made from its number alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flows.sandbox.spellings import plain_letters
from flows.sandbox.words import COUNTRIES

Values = tuple[object, ...]

# Orders of one to five lines: six of them have twenty.
LINE_COUNTS = (1, 2, 3, 4, 5, 5)
ORDERS_PER_ROUND = len(LINE_COUNTS)
LINES_PER_ROUND = sum(LINE_COUNTS)

# A name ending in # is a number, in ! is false in every row, in ? is null in every row.
COMMON = ("is_deleted!", "created_at", "modified_at")
ACCOUNT = (
    "account_id", "name", "type", "erp_customer_id", "phone", "email", "billing_street",
    "billing_city", "billing_postal_code", "billing_country", "currency", "merged_into_id?",
    *COMMON,
)  # fmt: skip
CUSTOMER = (
    "customer_id", "customer_number", "name", "registration_id", "email", "phone", "currency",
    "payment_terms", "credit_limit#", "is_blocked!", "company", *COMMON,
)  # fmt: skip
ADDRESS = (
    "address_id", "customer_id", "role", "addressee", "street", "city", "region", "postal_code",
    "country", *COMMON,
)  # fmt: skip
PRODUCT = (
    "product_id", "product_number", "name", "category", "unit", "list_price#", "currency",
    "standard_cost#", *COMMON,
)  # fmt: skip
FX_RATE = ("currency", "rate_date", "reporting_currency", "rate#", *COMMON)
ORDER = (
    "order_id", "order_number", "customer_id", "order_date", "requested_date", "status",
    "currency", "net_amount#", "tax_amount#", "gross_amount#", "external_reference?",
    "bill_to_address_id", "ship_to_address_id", "entry_source", "created_by", "company", *COMMON,
)  # fmt: skip
ORDER_LINE = (
    "order_line_id", "order_id", "line_number#", "product_number", "description", "quantity#",
    "unit", "unit_price#", "discount_pct#", "net_amount#", "tax_amount#", "status",
    "kit_parent_line_id?", *COMMON,
)  # fmt: skip
INVOICE = (
    "invoice_id", "invoice_number", "type", "customer_id", "order_id", "invoice_date", "due_date",
    "status", "currency", "net_amount#", "tax_amount#", "gross_amount#", "open_amount#",
    "company", *COMMON,
)  # fmt: skip
INVOICE_LINE = (
    "invoice_line_id", "invoice_id", "line_number#", "order_line_id", "product_number",
    "quantity#", "unit", "unit_price#", "discount_pct#", "net_amount#", "tax_amount#", *COMMON,
)  # fmt: skip

MARKETS = tuple(country for country in COUNTRIES if country.currency not in ("JPY", "PLN")
                and country.tax_pct == int(country.tax_pct))  # fmt: skip
RATES = {"SEK": 875, "NOK": 855, "DKK": 1340, "GBP": 11650, "USD": 9050}
DISCOUNTS = (0, 0, 0, 5, 10, 15)
START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 540
MASK = (1 << 64) - 1


def template(columns: tuple[str, ...], file_format: str) -> tuple[str, str]:
    """Return the head of a file and the pattern of its rows."""
    if file_format == "jsonl":
        return "", "{" + ", ".join(map(_json_field, columns)) + "}\n"
    names = ",".join(column.rstrip("#!?") for column in columns)
    return f"{names}\n", ",".join(map(_csv_field, columns)) + "\n"


def _json_field(column: str) -> str:
    name = column.rstrip("#!?")
    value = {"#": "%s", "!": "false", "?": "null"}.get(column[-1], '"%s"')
    return f'"{name}": {value}'


def _csv_field(column: str) -> str:
    return {"!": "false", "?": ""}.get(column[-1], "%s")


def mixed(number: int, seed: int) -> int:
    """Return 64 bits that look like chance and follow from two numbers."""
    bits = (number * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    return bits ^ (bits >> 31)


def money(cents: int) -> str:
    """Write an amount of cents as a decimal."""
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class Size:
    """How big the company is."""

    orders: int
    customer_count: int
    product_count: int
    seed: int
    has_invoices: bool
    has_sales: bool


class Volume:
    """Makes every row from its number; changed orders are one piece larger and newer."""

    def __init__(self, size: Size, *, is_changed: bool = False) -> None:
        self.size = size
        self.is_changed = is_changed
        self.spacing = timedelta(days=DAYS) / size.orders
        self.prices = [300 + mixed(n, size.seed) % 90000 for n in range(size.product_count)]
        self.status = "invoiced" if size.has_invoices else "released"

    def names(self) -> Iterator[tuple[int, str, str]]:
        """Yield number, name and the name as an e-mail domain for every customer."""
        for number in range(self.size.customer_count):
            country = MARKETS[number % len(MARKETS)]
            bits = mixed(number, self.size.seed)
            stem = country.stems[bits % len(country.stems)]
            trade = country.trades[bits // 64 % len(country.trades)]
            form = country.legal_forms[bits // 4096 % len(country.legal_forms)]
            domain = f"{plain_letters(stem).split(' ')[0].lower()}{number}.example"
            yield number, f"{stem} {trade} {number} {form}", domain.replace("'", "")

    def accounts(self) -> Iterator[Values]:
        """Yield one CRM account for each customer, linked by its key."""
        moment = START.isoformat()
        for number, name, domain in self.names():
            country = MARKETS[number % len(MARKETS)]
            street, town = f"{country.streets[0]} {number}", country.towns[number % 3]
            phone = f"{country.dialling_code}{20000000 + number}"
            yield (f"A{number:07d}", name, "customer", f"C{number:07d}", phone, f"info@{domain}",
                   street, town.city, town.postal_code, country.code, country.currency,
                   moment, moment)  # fmt: skip

    def customers(self) -> Iterator[Values]:
        """Yield the ERP's customers."""
        moment = START.isoformat()
        for number, name, domain in self.names():
            country = MARKETS[number % len(MARKETS)]
            phone = f"{country.dialling_code}{20000000 + number}"
            yield (f"C{number:07d}", f"{number:07d}", name, f"{100000000 + number}",
                   f"accounts@{domain}", phone, country.currency, "NET30", 50000, "DK01",
                   moment, moment)  # fmt: skip

    def addresses(self) -> Iterator[Values]:
        """Yield one address, for invoices and goods, for each customer."""
        moment = START.isoformat()
        for number, name, _ in self.names():
            country = MARKETS[number % len(MARKETS)]
            town = country.towns[number % 3]
            yield (f"C{number:07d}-B", f"C{number:07d}", "both", name,
                   f"{country.streets[0]} {number}", town.city, town.region, town.postal_code,
                   country.code, moment, moment)  # fmt: skip

    def products(self) -> Iterator[Values]:
        """Yield the catalogue."""
        moment = START.isoformat()
        for number, price in enumerate(self.prices):
            yield (f"I{number:06d}", f"P{number:06d}", f"Product {number}", f"Family {number % 20}",
                   "C62", money(price), "EUR", money(price * 6 // 10), moment, moment)  # fmt: skip

    def fx_rates(self) -> Iterator[Values]:
        """Yield a rate for every currency and day."""
        for day in range(DAYS + 30):
            moment = START + timedelta(days=day)
            for currency, middle in RATES.items():
                rate = f"{(middle + day % 40) / 10000:.4f}"
                yield (currency, moment.date(), "EUR", rate, moment.isoformat(),
                       moment.isoformat())  # fmt: skip

    def moments(self, number: int) -> tuple[str, str]:
        """Return when an order was created and when it last changed."""
        created = (START + self.spacing * number).replace(microsecond=0)
        if not self.is_changed:
            return created.isoformat(), created.isoformat()
        modified = START + timedelta(days=DAYS, seconds=number)
        return created.isoformat(), modified.isoformat()

    def lines(self, number: int) -> list[tuple[int, int, int, int, int]]:
        """Return product, quantity, discount, net and tax in cents of each line of an order."""
        seed, prices = self.size.seed, self.prices
        tax_pct = int(MARKETS[self.customer(number) % len(MARKETS)].tax_pct)
        more = 1 if self.is_changed else 0
        lines = []
        for place in range(LINE_COUNTS[number % ORDERS_PER_ROUND]):
            bits = mixed(number * 8 + place, seed)
            product = bits % len(prices)
            quantity = (bits >> 20) % 20 + 1 + more
            discount = DISCOUNTS[(bits >> 40) % 6]
            net = (quantity * prices[product] * (100 - discount) + 50) // 100
            lines.append((product, quantity, discount, net, (net * tax_pct + 50) // 100))
        return lines

    def customer(self, number: int) -> int:
        """Return whose order it is."""
        return mixed(number, self.size.seed + 1) % self.size.customer_count

    def totals(self, number: int) -> tuple[str, str, str]:
        """Return net, tax and gross of an order."""
        lines = self.lines(number)
        net, tax = sum(line[3] for line in lines), sum(line[4] for line in lines)
        return money(net), money(tax), money(net + tax)

    def orders(self, numbers: Iterable[int]) -> Iterator[Values]:
        """Yield the headers of orders."""
        for number in numbers:
            customer = self.customer(number)
            order_id, address = f"O{number:08d}", f"C{customer:07d}-B"
            created, modified = self.moments(number)
            yield (order_id, order_id, f"C{customer:07d}", created[:10], created[:10], self.status,
                   MARKETS[customer % len(MARKETS)].currency, *self.totals(number), address,
                   address, "integration", "svc-integration", "DK01", created,
                   modified)  # fmt: skip

    def order_lines(self, numbers: Iterable[int]) -> Iterator[Values]:
        """Yield the lines of orders, in the order of the headers."""
        for number in numbers:
            created, modified = self.moments(number)
            for place, line in enumerate(self.lines(number), start=1):
                product, quantity, discount, net, tax = line
                yield (f"O{number:08d}-{place}", f"O{number:08d}", place, f"P{product:06d}",
                       f"Product {product}", quantity, "C62", money(self.prices[product]),
                       discount, money(net), money(tax), self.status, created,
                       modified)  # fmt: skip

    def invoices(self, numbers: Iterable[int]) -> Iterator[Values]:
        """Yield one paid invoice for each order."""
        for number in numbers:
            customer = self.customer(number)
            invoice_id = f"N{number:08d}"
            created, modified = self.moments(number)
            yield (invoice_id, invoice_id, "invoice", f"C{customer:07d}", f"O{number:08d}",
                   created[:10], created[:10], "paid", MARKETS[customer % len(MARKETS)].currency,
                   *self.totals(number), "0.00", "DK01", created, modified)  # fmt: skip

    def invoice_lines(self, numbers: Iterable[int]) -> Iterator[Values]:
        """Yield the lines of the invoices."""
        for number in numbers:
            created, modified = self.moments(number)
            for place, line in enumerate(self.lines(number), start=1):
                product, quantity, discount, net, tax = line
                yield (f"N{number:08d}-{place}", f"N{number:08d}", place, f"O{number:08d}-{place}",
                       f"P{product:06d}", quantity, "C62", money(self.prices[product]), discount,
                       money(net), money(tax), created, modified)  # fmt: skip
