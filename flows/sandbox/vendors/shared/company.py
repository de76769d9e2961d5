"""The company whose systems these are: its extract, and the days that follow it."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from flows.sandbox import company
from flows.sandbox.extract import Table, file_name, read
from flows.sandbox.truth import CompanyTruth, CustomerPair

Row = dict[str, Any]

CRM = ("users", "accounts", "contacts", "leads", "products", "opportunities", "opportunity_lines",
       "quotes", "quote_lines", "sales_orders", "sales_order_lines", "cases")  # fmt: skip
ERP = ("customers", "addresses", "contacts", "products", "orders", "order_lines", "order_events",
       "shipments", "shipment_lines", "invoices", "invoice_lines", "returns", "return_lines",
       "payments", "fx_rates")  # fmt: skip


@dataclass
class Company:
    """The rows of both systems by connection and entity, as canonical extracts hold them."""

    tables: dict[Table, list[Row]] = field(default_factory=dict)
    truth: CompanyTruth | None = None

    def rows(self, connection: str, entity: str) -> list[Row]:
        """Return the rows of one entity."""
        return self.tables.get((connection, entity), [])

    def day(self, number: int) -> "Company":
        """Return what is new or changed on a day after the export."""
        if self.truth is None:
            raise LookupError("Only a generated company knows its days; start without --data.")
        with tempfile.TemporaryDirectory() as folder:
            company.write_day_of_changes(Path(folder), self.truth, number)
            return Company(_tables(Path(folder)), self.truth)


def make(seed: int = 7, scale: float = 1.0) -> Company:
    """Make the sandbox company up."""
    with tempfile.TemporaryDirectory() as folder:
        truth = company.write_company(Path(folder), seed=seed, scale=scale)
        return Company(_tables(Path(folder)), truth)


def load(folder: Path) -> Company:
    """Read a company from the extracts of its two systems."""
    return Company(_tables(folder), _written_truth(folder / "truth.json"))


def _tables(folder: Path) -> dict[Table, list[Row]]:
    return {
        (connection, entity): read(folder, connection, entity)
        for connection, entities in (("crm", CRM), ("erp", ERP))
        for entity in entities
        if (folder / connection / file_name(entity)).exists()
    }


def _written_truth(path: Path) -> CompanyTruth | None:
    """Return the truth of a generated company, from which its days can be made up again."""
    if not path.exists():
        return None
    known = json.loads(path.read_text(encoding="utf-8"))
    known["as_of"] = date.fromisoformat(known["as_of"])
    known["customer_pairs"] = tuple(CustomerPair(**pair) for pair in known["customer_pairs"])
    known["order_differences"] = known["row_faults"] = ()
    return CompanyTruth(**known)


def moment(row: Row, name: str) -> datetime:
    """Return one of the times of a row."""
    return datetime.fromisoformat(str(row[name])).astimezone(UTC)


def decimal(value: object) -> Decimal | None:
    """Return a number; nothing for what a typed database could not hold."""
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def is_true(value: object) -> bool:
    """Return a boolean that may have been written as text."""
    return value is True or str(value).lower() == "true"


def grouped(rows: list[Row], name: str) -> dict[str, list[Row]]:
    """Return rows by the value of one column."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[name]), []).append(row)
    return groups


def last_change(company_: Company, connection: str) -> datetime:
    """Return when something last changed in one of the systems."""
    return max(_changes(company_, connection), default=datetime.now(UTC))


def _changes(company_: Company, connection: str) -> Iterator[datetime]:
    for (name, _), rows in company_.tables.items():
        if name == connection:
            yield from (moment(row, "modified_at") for row in rows if row.get("modified_at"))
