"""The org's objects and fields, as an administrator could change them between two calls."""

import csv
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files

from flows.sandbox.vendors.salesforce.ids import PREFIXES

TEXTS = frozenset(("string", "picklist", "textarea", "phone", "email", "url"))
NUMBERS = frozenset(("double", "currency", "percent", "int"))
MOMENTS = frozenset(("date", "datetime"))
RESTRICTED = {
    ("Order", "StatusCode"): ("Draft", "Activated"),
    ("Quote", "Status"): ("Draft", "Presented", "Accepted", "Rejected", "Expired"),
}
LABELS = {
    ("Account", "Type"): ("Prospect", "Customer - Direct", "Channel Partner / Reseller", "Other"),
    ("Order", "Status"): ("Draft", "Activated", "Cancelled"),
    ("Case", "Status"): ("New", "Working", "Closed"),
    ("Case", "Type"): ("Complaint", "Question", "Request", "Other"),
    ("Lead", "Status"): ("New", "Contacted", "Qualified", "Lost"),
}


@dataclass(frozen=True)
class Field:
    """One field, as describe tells of it."""

    name: str
    type: str
    length: int = 0
    reference_to: tuple[str, ...] = ()
    compound: str | None = None
    flags: frozenset[str] = frozenset()

    def has(self, flag: str) -> bool:
        """Say whether a field is `always` there, `required`, `readonly`, `external`..."""
        return flag in self.flags

    @property
    def is_custom(self) -> bool:
        """Whether somebody of the company made it."""
        return self.name.endswith("__c")

    @property
    def is_filterable(self) -> bool:
        """Whether a query may ask for its value."""
        return self.type not in ("address", "location", "base64") and self.length <= 255 * 16

    @property
    def relationship(self) -> str | None:
        """The name by which a query reaches the parent."""
        if self.type != "reference":
            return None
        return f"{self.name[:-1]}r" if self.is_custom else self.name.removesuffix("Id")


@dataclass
class Entity:
    """One object of the org."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    is_queryable: bool = True
    is_replicateable: bool = True
    is_in_bulk: bool = True

    def find(self, name: str) -> Field | None:
        """Return a field by its name, in whatever case it was written."""
        return self.fields.get(name) or self._by_lower().get(name.lower())

    def _by_lower(self) -> dict[str, Field]:
        return {name.lower(): one for name, one in self.fields.items()}

    def parent(self, relationship: str) -> Field | None:
        """Return the reference behind a relationship's name."""
        wanted = relationship.lower()
        return next(
            (one for one in self.fields.values() if (one.relationship or "").lower() == wanted),
            None,
        )

    @property
    def prefix(self) -> str:
        """The first three characters of its ids."""
        return PREFIXES.get(self.name, "a0X")


class Schema:
    """All objects, and which fields the integration user may not see."""

    def __init__(self) -> None:
        self._entities = _standard()
        self.hidden: set[tuple[str, str]] = set()
        self.changed_at = datetime(2026, 1, 1, tzinfo=UTC)

    def names(self) -> list[str]:
        """Return the names of all objects."""
        return sorted(self._entities)

    def whole(self, name: str) -> Entity | None:
        """Return an object with all its fields, whoever may see them."""
        return self._entities.get(name) or {
            known.lower(): one for known, one in self._entities.items()
        }.get(name.lower())

    def entity(self, name: str) -> Entity | None:
        """Return an object with the fields that the user may see."""
        whole = self.whole(name)
        if whole is None or not any(hidden == whole.name for hidden, _ in self.hidden):
            return whole
        seen = {
            named: one
            for named, one in whole.fields.items()
            if (whole.name, named) not in self.hidden
        }
        return replace(whole, fields=seen)

    def add_object(self, name: str) -> Entity:
        """Make an object with the fields that every object has."""
        template = self._entities["Rebate_Agreement__c"].fields
        kept = {key: one for key, one in template.items() if not one.is_custom or key == name}
        self._entities[name] = Entity(name, kept)
        return self._entities[name]

    def add_field(self, entity: str, added: Field) -> None:
        """Add a field to an object, or replace the one of that name."""
        self._entities[entity].fields[added.name] = added

    def remove_field(self, entity: str, name: str) -> None:
        """Delete a field for good."""
        del self._entities[entity].fields[name]


def _standard() -> dict[str, Entity]:
    entities: dict[str, Entity] = {}
    text = (files(__package__) / "fields.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        entity = entities.setdefault(row["object"], Entity(row["object"]))
        entity.fields[row["name"]] = Field(
            row["name"],
            row["type"],
            int(row["length"]),
            tuple(row["reference_to"].split(";")) if row["reference_to"] else (),
            row["compound"] or None,
            frozenset(row["flags"].split()),
        )
    return entities
