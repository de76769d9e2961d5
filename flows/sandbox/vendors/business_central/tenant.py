"""The tenant: its companies, their records, and what a reader may see of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.sandbox.vendors.business_central.schema import LINES, Schema
from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.quota import Quota
from flows.sandbox.vendors.shared.rules import Rules
from flows.sandbox.vendors.shared.store import Change, Record, Store, Table

Values = dict[str, Any]
STAMP = "lastModifiedDateTime"


def stamp_text(moment: datetime) -> str:
    """Return a time as records hold it: UTC, to the millisecond."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def table_name(company: str, name: str) -> str:
    """Return the name of a company's table."""
    return f"{company}/{name}"


@dataclass
class Tenant:
    """One tenant in memory."""

    clock: Clock = field(default_factory=Clock)
    schema: Schema = field(default_factory=Schema)
    rules: Rules = field(default_factory=Rules)
    quota: Quota = field(default_factory=lambda: Quota(6000, timedelta(minutes=5)))
    companies: dict[str, str] = field(default_factory=dict)
    hidden_properties: set[tuple[str, str]] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    ignores_filters: bool = False
    replica: dict[str, Table] | None = None
    listings: dict[Any, Any] = field(default_factory=dict)
    name: str = "concord"
    environment: str = "production"

    def __post_init__(self) -> None:
        self.store = Store(self.clock)

    def add_company(self, name: str) -> str:
        """Open the books of a company; return its id."""
        self.companies.setdefault(guid("companies", name), name)
        return guid("companies", name)

    def table(self, company: str, name: str, *, from_replica: bool = False) -> Table:
        """Return a company's table, as the database has it or as its replica does."""
        whole = table_name(company, name)
        if from_replica and self.replica is not None:
            return self.replica.get(whole, Table())
        return self.store[whole]

    def record(self, company: str, name: str, key: str) -> Record | None:
        """Return a record that the user may see."""
        record = self.table(company, name).records.get(key)
        return None if record is None or self.rules.hides(name, key) else record

    def next_number(self, company: str, prefix: str) -> str:
        """Return the next number of a series; every company counts for itself."""
        series = f"{company}/{prefix}"
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return f"{prefix}{self.numbers[series]:05d}"

    def save(  # noqa: PLR0913 - all by name
        self,
        company: str,
        name: str,
        key: str,
        values: Values,
        *,
        stamp: datetime | None = None,
        visible_at: datetime | None = None,
    ) -> None:
        """Create or change a record; properties that are not named keep what they hold."""
        stamped = stamp or self.clock.now()
        known = self.table(company, name).records.get(key)
        merged = {**(known.values if known else {}), **values}
        properties = self.schema.find(name).properties
        if "id" in properties:
            merged["id"] = key
        if STAMP in properties:
            merged[STAMP] = stamp_text(stamped)
        filled = {prop: value for prop, value in merged.items() if value not in (None, "")}
        whole = table_name(company, name)
        when = visible_at or self.clock.now()
        self.store.change(Change(whole, key, filled, stamped, when))

    def change_silently(self, company: str, name: str, key: str, values: Values) -> None:
        """Change what a flow field shows: the record's stamp stays."""
        table = self.table(company, name)
        known = table.records[key]
        changed = Record(key, {**known.values, **values}, known.stamp, known.version)
        table.records[key] = changed
        table.changes += 1

    def delete(self, company: str, name: str, key: str) -> None:
        """Delete a record with its lines; nothing remembers it."""
        now = self.clock.now()
        if name in LINES:
            lines = self.table(company, LINES[name])
            for line in list(lines.by("documentId").get(key, [])):
                self._purge(company, LINES[name], line.key, now)
        self._purge(company, name, key, now)

    def _purge(self, company: str, name: str, key: str, now: datetime) -> None:
        whole = table_name(company, name)
        self.store.change(Change(whole, key, {}, now, now, is_deleted=True, is_purge=True))

    def lag_replica(self) -> None:
        """Let readers of the replica see nothing newer than what is there now."""
        tables, _ = self.store.snapshot()
        self.replica = tables

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what a correct reader has in the end: by company/set and id, the newest values."""
        return {
            name: {
                record.key: record.values
                for record in table.records.values()
                if not self.rules.hides(name.partition("/")[2], record.key)
            }
            for name, table in self.store.finished().items()
            if table.records
        }
