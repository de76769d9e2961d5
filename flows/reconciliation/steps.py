"""The steps of the waterfalls, as the marts hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from psycopg import Connection, sql

PER_CURRENCY = """
    select month, coalesce(company, 'company not known'), coalesce(currency, 'no currency'),
        step, coalesce(amount, 0), document_count
    from {waterfall}
    order by month desc nulls last, 2, 3, step_number
"""
REPORTED = """
    select month, coalesce(company, 'company not known'), reporting_currency, step,
        sum(coalesce(amount_reporting, 0)), sum(document_count)
    from {waterfall}
    group by month, 2, reporting_currency, step
    order by month desc nulls last, 2, min(step_number)
"""
IN_ALL = """
    select null::date, 'all companies, all months', reporting_currency, step,
        sum(coalesce(amount_reporting, 0)), sum(document_count)
    from {waterfall}
    where step <> 'timing'
    group by reporting_currency, step
    order by min(step_number)
"""
UNREPORTED = "select coalesce(sum(unreported_count), 0) from {waterfall}"


@dataclass(frozen=True)
class Step:
    """One step: what it adds or takes away; at both ends the total."""

    name: str
    amount: Decimal
    documents: int

    @property
    def is_total(self) -> bool:
        """Whether it is one of the two totals."""
        return self.name in ("crm", "erp")

    @property
    def words(self) -> str:
        """The name as people read it."""
        words = self.name.split("_")
        return " ".join(word.upper() if word in ("crm", "erp") else word for word in words)


@dataclass(frozen=True)
class Waterfall:
    """From the CRM's total to the ERP's, for one company, currency and month (None is all)."""

    month: date | None
    company: str
    currency: str
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        """What it is about, in one line."""
        when = f" · {self.month:%B %Y}" if self.month else ""
        return f"{self.company}{when} · {self.currency}"

    @property
    def rest(self) -> Decimal:
        """What no step explains."""
        return sum(
            (-step.amount if step.name == "erp" else step.amount for step in self.steps), Decimal(0)
        )

    @property
    def differs(self) -> bool:
        """Whether there is any step between the totals."""
        return any(not step.is_total and step.amount != 0 for step in self.steps)


def in_all(connection: Connection, schema: str) -> list[Waterfall]:
    """Return one waterfall over everything, in the reporting currency."""
    return _waterfalls(connection, IN_ALL, schema)


def by_month(connection: Connection, schema: str) -> list[Waterfall]:
    """Return the waterfalls per month and company in the reporting currency, the newest first."""
    return _waterfalls(connection, REPORTED, schema)


def by_currency(connection: Connection, schema: str) -> list[Waterfall]:
    """Return the waterfalls per month, company and transaction currency, the newest first."""
    return _waterfalls(connection, PER_CURRENCY, schema)


def unreported(connection: Connection, schema: str) -> int:
    """Count the documents and differences that have no amount in the reporting currency."""
    row = connection.execute(_query(UNREPORTED, schema)).fetchone()
    return int(row[0]) if row else 0


def _waterfalls(connection: Connection, query: str, schema: str) -> list[Waterfall]:
    rows = connection.execute(_query(query, schema)).fetchall()
    return [
        Waterfall(month, company, currency, _in_order(Step(*row[3:]) for row in group))
        for (month, company, currency), group in groupby(rows, key=lambda row: row[:3])
    ]


def _in_order(steps: Iterator[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=_place))


def _place(step: Step) -> int:
    ends: Sequence[str] = ("crm", "", "erp")
    return ends.index(step.name) if step.is_total else 1


def _query(query: str, schema: str) -> sql.Composed:
    return sql.SQL(query).format(waterfall=sql.Identifier(schema, "reconciliation_waterfall"))
