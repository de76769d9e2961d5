"""What translating a row takes to know of other rows."""

from dataclasses import dataclass, field
from typing import Any

from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.shared.company import Row

Values = dict[str, Any]

STANDARD_BOOK = salesforce_id("Pricebook2", "standard")


@dataclass
class Known:
    """Products by number, the ERP's keys of accounts, and the currencies of documents."""

    products: dict[str, Row] = field(default_factory=dict)
    erp_keys: dict[str, str] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)


def ref(entity: str, key: object) -> str | None:
    """Return the id that a reference holds."""
    return salesforce_id(entity, str(key)) if key else None
