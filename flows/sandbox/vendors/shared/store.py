"""Records with versions, and changes that are stamped before anybody can see them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.sandbox.vendors.shared.clock import Clock

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one record; a change makes another, so that who holds it keeps it."""

    key: str
    values: Values
    stamp: datetime
    version: int = 1
    is_deleted: bool = False


@dataclass(frozen=True)
class Deletion:
    """That a record was deleted, which outlives the record."""

    key: str
    deleted_at: datetime


@dataclass(frozen=True)
class Change:
    """What happens to one record, when it is stamped and when it can be seen.

    `values` are all the values of its new version. A purge leaves nothing but the deletion.
    """

    table: str
    key: str
    values: Values
    stamp: datetime
    visible_at: datetime
    is_deleted: bool = False
    is_purge: bool = False


@dataclass
class Table:
    """The records of one object by key, and what was deleted from it."""

    records: dict[str, Record] = field(default_factory=dict)
    deletions: list[Deletion] = field(default_factory=list)
    changes: int = 0
    _indexes: dict[str, tuple[int, dict[Any, list[Record]]]] = field(default_factory=dict)

    def live(self) -> Iterator[Record]:
        """Yield the records that are not in the bin."""
        return (record for record in self.records.values() if not record.is_deleted)

    def by(self, name: str) -> dict[Any, list[Record]]:
        """Return the live records grouped by the value of one field."""
        changes, index = self._indexes.get(name, (-1, {}))
        if changes != self.changes:
            index = {}
            for record in self.live():
                index.setdefault(record.values.get(name), []).append(record)
            self._indexes[name] = (self.changes, index)
        return index

    def replace(self, known: "Table") -> None:
        """Be as another table was."""
        self.records, self.deletions = known.records, known.deletions
        self.changes += 1

    def apply(self, change: Change) -> None:
        """Make a change visible."""
        self.changes += 1
        known = self.records.get(change.key)
        was_there = known is not None and not known.is_deleted
        if was_there and (change.is_deleted or change.is_purge):
            self.deletions.append(Deletion(change.key, change.stamp))
        if change.is_purge:
            self.records.pop(change.key, None)
            return
        version = known.version + 1 if known else 1
        self.records[change.key] = Record(
            change.key, change.values, change.stamp, version, change.is_deleted
        )


class Store:
    """All tables of a system, and the changes that are not visible yet."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._tables: dict[str, Table] = {}
        self._pending: list[Change] = []

    def __getitem__(self, name: str) -> Table:
        return self._tables.setdefault(name, Table())

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._tables))

    def change(self, change: Change) -> None:
        """Take a change; it is applied when its time has come."""
        if change.visible_at > self.clock.now():
            self._pending.append(change)
        else:
            self[change.table].apply(change)

    def settle(self) -> None:
        """Apply what has become visible by now, in the order in which it did."""
        if self._pending:
            now = self.clock.now()
            due = sorted(
                (one for one in self._pending if one.visible_at <= now),
                key=lambda one: one.visible_at,
            )
            self._pending = [one for one in self._pending if one.visible_at > now]
            for one in due:
                self[one.table].apply(one)

    def open_since(self) -> datetime | None:
        """Return when the oldest change was stamped that nobody can see yet."""
        return min((one.stamp for one in self._pending), default=None)

    def snapshot(self) -> tuple[dict[str, Table], list[Change]]:
        """Return everything as it is, to come back to it."""
        return {name: _copy(self[name]) for name in self}, list(self._pending)

    def restore(self, snapshot: tuple[dict[str, Table], list[Change]]) -> None:
        """Undo everything since a snapshot."""
        tables, self._pending = snapshot
        for name in self:
            known = tables.get(name, Table())
            self[name].replace(known)

    def finished(self) -> dict[str, Table]:
        """Return the tables as they are once everything under way is visible."""
        tables = {name: _copy(self[name]) for name in self}
        for one in sorted(self._pending, key=lambda one: one.visible_at):
            tables.setdefault(one.table, Table()).apply(one)
        return tables


def _copy(table: Table) -> Table:
    return Table(dict(table.records), list(table.deletions))


def newest(records: Iterable[Record]) -> datetime | None:
    """Return the latest stamp."""
    return max((record.stamp for record in records), default=None)
