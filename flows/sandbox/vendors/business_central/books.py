"""The ERP's rows, kept by key over the days, and how they hang together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from flows.sandbox.vendors.shared.company import Company, Row, decimal, grouped, moment
from flows.sandbox.vendors.shared.keys import guid

Values = dict[str, Any]
KEYS = {
    "customers": "customer_id",
    "addresses": "address_id",
    "contacts": "contact_id",
    "products": "product_id",
    "orders": "order_id",
    "order_lines": "order_line_id",
    "shipments": "shipment_id",
    "shipment_lines": "shipment_line_id",
    "invoices": "invoice_id",
    "invoice_lines": "invoice_line_id",
}
LOCAL_CURRENCY = "EUR"
POSTED = frozenset(("invoiced", "closed", "cancelled"))


@dataclass(frozen=True)
class Item:
    """One record to be."""

    company: str
    set: str
    id: str
    values: Values
    modified_at: datetime


@dataclass
class Books:
    """The newest version of every row of the ERP."""

    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    rates: dict[tuple[str, str], Row] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    _groups: dict[tuple[str, str], dict[str, list[Row]]] = field(default_factory=dict)

    def merge(self, company: Company) -> None:
        """Take the rows of an extract; older versions of what is known change nothing."""
        for entity, key in KEYS.items():
            known = self.rows.setdefault(entity, {})
            for row in company.rows("erp", entity):
                before = known.get(str(row[key]))
                if not before or moment(before, "modified_at") <= moment(row, "modified_at"):
                    # The story goes on here, not in the extract that other servers start from.
                    known[str(row[key])] = dict(row)
        for row in company.rows("erp", "fx_rates"):
            self.rates[str(row["currency"]), str(row["rate_date"])] = row
        self._groups.clear()
        self._number_customers()

    def _number_customers(self) -> None:
        """Give new customers the next number of their company: C00010, C00020 in each."""
        for key, row in self.rows["customers"].items():
            if key not in self.numbers:
                company = str(row["company"])
                others = sum(
                    str(self.rows["customers"][other]["company"]) == company
                    for other in self.numbers
                )
                self.numbers[key] = f"C{(others + 1) * 10:05d}"

    def companies(self) -> list[str]:
        """Return the companies that sell."""
        return sorted({str(row["company"]) for row in self.rows["customers"].values()})

    def all(self, entity: str) -> Iterator[Row]:
        """Yield the rows of an entity."""
        return iter(self.rows.get(entity, {}).values())

    def of(self, entity: str, name: str, value: object) -> list[Row]:
        """Return the rows in which a column has a value."""
        if (entity, name) not in self._groups:
            self._groups[entity, name] = grouped(list(self.all(entity)), name)
        return self._groups[entity, name].get(str(value), [])

    def customer(self, row: Row) -> Row:
        """Return the customer of a document."""
        return self.rows["customers"][str(row["customer_id"])]

    def address(self, key: object) -> Row:
        """Return an address, or an empty one."""
        return self.rows["addresses"].get(str(key), {})

    def product_id(self, company: str, number: object) -> str:
        """Return the id that a product has in the books of a company."""
        return item_id(company, number)

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies that are kept: also one that somebody made up has a code here."""
        used = {str(row["currency"]) for row in self.all("orders") if row["currency"]}
        return frozenset({LOCAL_CURRENCY, *used, *(currency for currency, _ in self.rates)})


def item_id(company: str, number: object) -> str:
    """Return the id of an item, which every company has for itself."""
    return guid("items", f"{company}/{number}")


def amount(value: object) -> float | int:
    """Return a number as the wire has it: whole ones without a point."""
    found = decimal(value) or Decimal(0)
    return int(found) if found == found.to_integral_value() else float(found)


def day(value: object) -> str | None:
    """Return the date in a date or a time."""
    return str(value)[:10] if value else None
