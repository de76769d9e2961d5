"""The org: objects, records, users' rights, cursors and the day's allowance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from flows.sandbox.vendors.salesforce.ids import LOCATOR, ORG, salesforce_id
from flows.sandbox.vendors.salesforce.jobs import Ingest, Jobs
from flows.sandbox.vendors.salesforce.schema import Entity, Schema
from flows.sandbox.vendors.salesforce.soql.conditions import Values
from flows.sandbox.vendors.salesforce.soql.projection import Render
from flows.sandbox.vendors.salesforce.values import moment_text
from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.quota import Quota
from flows.sandbox.vendors.shared.rules import Rules
from flows.sandbox.vendors.shared.store import Change, Record, Store

INTEGRATION_USER = salesforce_id("User", "U6")
CURSOR_LIFE = timedelta(days=2)
PLURALS = {
    "OpportunityContactRole": "OpportunityContactRoles",
    "PricebookEntry": "PricebookEntries",
}


@dataclass
class Cursor:
    """The rest of a query's answer, as it was when the query was put."""

    items: list[Values]
    render: Render
    total: int
    page_size: int
    opened_at: datetime


@dataclass
class Retention:
    """How far back the org remembers what was deleted."""

    updated: timedelta = timedelta(days=30)
    deleted: timedelta = timedelta(days=15)
    most_ids: int = 600_000
    purged_until: datetime | None = None


@dataclass
class Org:
    """One Salesforce org in memory."""

    clock: Clock = field(default_factory=Clock)
    schema: Schema = field(default_factory=Schema)
    rules: Rules = field(default_factory=Rules)
    quota: Quota = field(default_factory=Quota)
    job_quota: Quota = field(default_factory=lambda: Quota(10_000))
    retention: Retention = field(default_factory=Retention)
    jobs: Jobs = field(default_factory=Jobs)
    ingests: dict[str, Ingest] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    url: str = ""
    _opened: int = 0
    _created: int = 0

    def __post_init__(self) -> None:
        self.store = Store(self.clock)
        self.id = salesforce_id(ORG, "sandbox")
        self.id = ORG + self.id[3:]

    # What queries ask for.

    def entity(self, name: str) -> Entity | None:
        """Return an object as the user sees it."""
        return self.schema.entity(name)

    def today(self) -> date:
        """Return the day, in UTC."""
        return self.clock.now().date()

    def record(self, entity: str, key: str) -> Record | None:
        """Return a record that the user may see, in the bin or not."""
        record = self.store[entity].records.get(key)
        return None if record is None or self.rules.hides(entity, key) else record

    def values(self, entity: str, key: str) -> Values | None:
        """Return the values of a record that the user may see."""
        record = self.record(entity, key)
        return record.values if record else None

    def rows(self, entity: str, *, with_deleted: bool, is_whole: bool) -> Iterable[Values]:
        """Yield the records of an object that the user may see."""
        records: Iterable[Record] = self.store[entity].records.values()
        if self.rules.hidden_rows:
            records = (one for one in records if not self.rules.hides(entity, one.key))
        if is_whole and self.rules.withheld_rows:
            records = (one for one in records if not self.rules.withholds(entity, one.key))
        if with_deleted:
            return (one.values for one in records if self._is_kept(one))
        return (one.values for one in records if not one.is_deleted)

    def _is_kept(self, record: Record) -> bool:
        """Say whether a record is there or still in the bin, which is emptied after some days."""
        if not record.is_deleted:
            return True
        return self.clock.now() - record.stamp <= self.retention.deleted

    def child(self, parent: str, relationship: str) -> tuple[str, str] | None:
        """Return the object and the field behind the name of a parent's children."""
        return dict(self.children(parent)).get(relationship)

    def children(self, parent: str) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield the names by which an object's children are reached, with object and field."""
        for name in self.schema.names():
            entity = self.schema.whole(name)
            for one in entity.fields.values() if entity else ():
                if parent in one.reference_to and one.name in (f"{parent}Id", f"{parent}__c"):
                    plural = PLURALS.get(name, f"{name.removesuffix('__c')}s")
                    yield plural + ("__r" if name.endswith("__c") else ""), (name, one.name)

    # Cursors.

    def open_cursor(self, cursor: Cursor) -> str:
        """Keep the rest of an answer and return the locator it is fetched by."""
        self._opened += 1
        locator = LOCATOR + salesforce_id("Locator", str(self._opened))[3:]
        self.cursors[locator] = cursor
        return locator

    def cursor(self, locator: str) -> Cursor | None:
        """Return a cursor that has not expired."""
        cursor = self.cursors.get(locator)
        if cursor and self.clock.now() - cursor.opened_at > CURSOR_LIFE:
            del self.cursors[locator]
            return None
        return cursor

    # Changes.

    def next_key(self, entity: str) -> str:
        """Return the id of a new record."""
        self._created += 1
        return salesforce_id(entity, f"created {self._created}")

    def save(  # noqa: PLR0913 - all by name
        self,
        entity: str,
        key: str,
        values: Values,
        *,
        stamp: datetime | None = None,
        created_at: datetime | None = None,
        visible_at: datetime | None = None,
        user: str = INTEGRATION_USER,
    ) -> None:
        """Create or change a record; fields that are not named keep what they hold."""
        stamped = stamp or self.clock.stamp()
        known = self.store[entity].records.get(key)
        before = known.values if known else _new(key, created_at or stamped, user)
        merged = {**before, **values, "LastModifiedById": user, "IsDeleted": False}
        merged["SystemModstamp"] = merged["LastModifiedDate"] = moment_text(stamped)
        filled = {name: value for name, value in merged.items() if value is not None}
        self.store.change(Change(entity, key, filled, stamped, visible_at or self.clock.now()))

    def delete(
        self,
        entity: str,
        key: str,
        *,
        is_hard: bool = False,
        master: str | None = None,
        visible_at: datetime | None = None,
    ) -> None:
        """Put a record in the bin, or beyond it; a merged one knows its master."""
        known = self.store[entity].records.get(key)
        if known is None:
            return
        stamp = known.stamp if known.is_deleted else self.clock.stamp()
        merged = {"MasterRecordId": master} if master else {}
        values = {**known.values, **merged, "IsDeleted": True}
        values["SystemModstamp"] = moment_text(stamp)
        when = visible_at or self.clock.now()
        self.store.change(
            Change(entity, key, values, stamp, when, is_deleted=True, is_purge=is_hard)
        )

    def merge(self, entity: str, master: str, loser: str) -> None:
        """Let one record go into another: what hung on it hangs on the master now."""
        for _, (child, reference) in self.children(entity):
            for record in list(self.store[child].by(reference).get(loser, [])):
                self.save(child, record.key, {reference: master})
        self.delete(entity, loser, master=master)
        if self.values(entity, master) is not None:
            self.save(entity, master, {})

    def undelete(self, entity: str, key: str) -> None:
        """Take a record out of the bin."""
        self.save(entity, key, {"MasterRecordId": None})

    def change_silently(self, entity: str, key: str, values: Values) -> None:
        """Change what a formula shows: the record's stamp stays."""
        table = self.store[entity]
        known = table.records[key]
        table.records[key] = replace(known, values={**known.values, **values})

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what a correct reader has in the end: by object and id, the newest values.

        Records in the bin say so in IsDeleted; purged ones are not there.
        """
        return {
            name: {
                record.key: record.values
                for record in table.records.values()
                if not self.rules.hides(name, record.key) and self._is_kept(record)
            }
            for name, table in self.store.finished().items()
            if table.records
        }


def _new(key: str, created_at: datetime, user: str) -> Values:
    return {"Id": key, "CreatedDate": moment_text(created_at), "CreatedById": user}
