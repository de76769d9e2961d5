"""The entity sets of API v2.0: their properties, what they lead to, and how values look."""

import csv
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from flows.sandbox.vendors.business_central.errors import no_segment

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
EMPTY: dict[str, Any] = {
    "guid": EMPTY_GUID,
    "string": "",
    "enum": "_x0020_",
    "date": "0001-01-01",
    "datetime": "0001-01-01T00:00:00Z",
    "decimal": 0,
    "int": 0,
    "boolean": False,
}
EDM = {
    "guid": "Edm.Guid",
    "string": "Edm.String",
    "enum": "Edm.String",
    "date": "Edm.Date",
    "datetime": "Edm.DateTimeOffset",
    "decimal": "Edm.Decimal",
    "int": "Edm.Int32",
    "boolean": "Edm.Boolean",
}
LINES = {
    "salesOrders": "salesOrderLines",
    "salesInvoices": "salesInvoiceLines",
    "salesCreditMemos": "salesCreditMemoLines",
    "salesQuotes": "salesQuoteLines",
    "salesShipments": "salesShipmentLines",
}
SINGULAR = {"currencies": "currency", "companies": "company", "unitsOfMeasure": "unitOfMeasure",
            "contactsInformation": "contactInformation"}  # fmt: skip
CODE_UNSAFE = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class Property:
    """One property of an entity."""

    name: str
    type: str
    length: int = 0
    flags: frozenset[str] = frozenset()

    @property
    def empty(self) -> Any:  # noqa: ANN401 - a value of its type
        """What stands for nothing."""
        return EMPTY[self.type]


@dataclass(frozen=True)
class Navigation:
    """Where an entity leads: to another set, by a property here and a property there."""

    name: str
    target: str
    here: str
    there: str
    is_many: bool


@dataclass
class EntitySet:
    """One set with its properties."""

    name: str
    properties: dict[str, Property] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name of the type."""
        return SINGULAR.get(self.name, self.name.removesuffix("s"))

    @property
    def key(self) -> str:
        """The name of the key property."""
        return next(iter(self.properties))

    @property
    def navigations(self) -> dict[str, Navigation]:
        """Where its entities lead, by name."""
        return {one.name: one for one in _navigations(self.name)}


def _navigations(name: str) -> list[Navigation]:
    found: list[Navigation] = []
    if name in LINES:
        found.append(Navigation(LINES[name], LINES[name], "id", "documentId", is_many=True))
        found.append(Navigation("customer", "customers", "customerId", "id", is_many=False))
        found.append(Navigation("currency", "currencies", "currencyId", "id", is_many=False))
    if name in LINES.values():
        found.append(Navigation("item", "items", "itemId", "id", is_many=False))
    if name == "customers":
        found += [
            Navigation("contactsInformation", "contactsInformation", "id", "relatedId", True),  # noqa: FBT003
            Navigation("paymentTerm", "paymentTerms", "paymentTermsId", "id", is_many=False),
            Navigation("currency", "currencies", "currencyId", "id", is_many=False),
        ]
    return found


@dataclass
class Schema:
    """All entity sets."""

    sets: dict[str, EntitySet] = field(default_factory=lambda: dict(_standard()))

    def find(self, name: str) -> EntitySet:
        """Return a set by its name."""
        if name not in self.sets:
            raise no_segment(name)
        return self.sets[name]


def _standard() -> dict[str, EntitySet]:
    sets: dict[str, EntitySet] = {}
    for name, one in _properties():
        sets.setdefault(name, EntitySet(name)).properties[one.name] = one
    return sets


@cache
def _properties() -> tuple[tuple[str, Property], ...]:
    text = (files(__package__) / "fields.csv").read_text(encoding="utf-8")
    return tuple(
        (
            row["set"],
            Property(row["name"], row["type"], int(row["length"]), frozenset(row["flags"].split())),
        )
        for row in csv.DictReader(text.splitlines())
    )


def enumeration(text: str) -> str:
    """Return the name of a choice as the wire has it: In Review as In_x0020_Review."""
    return CODE_UNSAFE.sub(lambda match: f"_x{ord(match[0]):04X}_", text or " ")
