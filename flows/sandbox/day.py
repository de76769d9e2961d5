"""A day in the making: what was there yesterday and the delta that is exported today."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from flows.sandbox.assembly import make_company
from flows.sandbox.catalogue import make_rates
from flows.sandbox.extract import Extract, Row, Table, Value
from flows.sandbox.truth import CompanyTruth
from flows.sandbox.world import Desk, Plan, World

KINDS = ("new", "changed", "deleted", "late")


class Day:
    """One day of changes in the making."""

    def __init__(self, truth: CompanyTruth, day: int) -> None:
        plan = Plan(truth.seed, truth.scale, truth.as_of)
        self.truth = truth
        self.number = day
        self.today = truth.as_of + timedelta(days=day)
        self.world: World = make_company(plan)[0]
        self.world.rates = make_rates(plan, days_ahead=day)
        self.delta = Extract()
        later = Plan(truth.seed, truth.scale, self.today)
        self.desk = Desk(later, plan.random(f"day {day}"), self.delta)
        self.late_keys: list[str] = []

    def changed(self, table: Table, row: Row, **values: Value) -> Row:
        """Write a row again with other values and the time of the change."""
        moment = self.desk.moment(self.today).isoformat()
        again = {**row, **values, "modified_at": moment}
        self.delta.append(table, again)
        return again

    def untouched(self, table: Table) -> Row:
        """Return the first row to which nothing happened today."""
        touched = {key_of(row) for row in self.delta.rows(table)}
        return next(row for row in self.world.extract.rows(table) if key_of(row) not in touched)

    def row(self, table: Table, key: str) -> Row:
        """Return the row of a key as it was yesterday."""
        return next(row for row in self.world.extract.rows(table) if key_of(row) == key)


def key_of(row: Row) -> str:
    """Return the first column, which is the key of every entity but the rates."""
    return str(next(iter(row.values())))


def counts_by_kind(today: Day) -> dict[str, Counter[str]]:
    """Count the rows of the delta by what happened to them and by `connection/entity`."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for table, kind in _kinds(today):
        counts[kind][table] += 1
    return counts


def _kinds(today: Day) -> Iterator[tuple[str, str]]:
    """Say of every row in the delta whether it is new, changed, deleted or late."""
    for (connection, entity), rows in today.delta.tables.items():
        before = {key_of(row) for row in today.world.extract.rows((connection, entity))}
        for row in rows:
            name = f"{connection}/{entity}"
            if entity == "fx_rates" or key_of(row) not in before:
                yield name, "new"
            elif key_of(row) in today.late_keys:
                yield name, "late"
            else:
                yield name, "deleted" if row["is_deleted"] else "changed"
