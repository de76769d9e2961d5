"""What the reconciliation says: a page with pictures, and an artifact's markdown."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from psycopg import Connection, sql

from flows.reconciliation.picture import amount, draw
from flows.reconciliation.steps import Waterfall, by_currency, by_month, in_all, unreported

MARTS = "marts"
PICTURES, LISTED = 36, 12
CAUSES = """
    select cause, count(distinct pair_key), count(*),
        sum(abs(amount_reporting)), sum(amount_reporting)
    from {differences}
    where level <> 'rates'
    group by cause
    order by 4 desc nulls last, cause
"""
LARGEST = """
    select coalesce(order_number, crm_document_number), company, cause, difference_amount, currency
    from {orders}
    where difference_amount <> 0
    order by abs(difference_amount_reporting) desc nulls last, pair_key
    limit {limit}
"""
STYLE = """
body{font-family:sans-serif;margin:2rem;max-width:72rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .7rem;text-align:left}
td.amount{text-align:right;font-variant-numeric:tabular-nums}tr:nth-child(even){background:#f4f4f4}
figure{margin:1rem 0 2rem;overflow-x:auto}figcaption{font-weight:bold}
"""


def report(connection: Connection, schema: str = MARTS) -> str:
    """Return in markdown what differs between CRM and ERP, cause by cause."""
    parts = ["# CRM against ERP"]
    waterfalls = in_all(connection, schema)
    if not any(waterfall.differs for waterfall in waterfalls):
        parts.append("Both agree to the cent." if waterfalls else "There is nothing to compare.")
    for waterfall in waterfalls:
        parts += [f"## {waterfall.title}", _markdown_steps(waterfall), _rest(waterfall)]
    if missing := unreported(connection, schema):
        parts.append(
            f"{missing:,} documents or differences have no rate into the reporting currency and "
            "are only in the waterfalls of their own currency."
        )
    parts += _causes(connection, schema)
    parts += _largest(connection, schema)
    return "\n\n".join(parts) + "\n"


def waterfall_page(connection: Connection, schema: str = MARTS) -> str:
    """Return a page of its own: a picture of every month and company, and every step as a table."""
    pictured = [*in_all(connection, schema), *by_month(connection, schema)[:PICTURES]]
    figures = "".join(
        f"<figure><figcaption>{escape(one.title)}</figcaption>{draw(one)}"
        f"<p>{escape(_rest(one))}</p></figure>"
        for one in pictured
    )
    tables = "".join(
        f"<h3>{escape(one.title)}</h3>{_table(one)}" for one in by_currency(connection, schema)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>CRM against ERP</title><style>{STYLE}</style></head><body>"
        "<h1>CRM against ERP</h1><p>From the CRM's total to the ERP's, cause by cause.</p>"
        f"{figures}<h2>Per month, company and currency</h2>{tables}</body></html>\n"
    )


def _causes(connection: Connection, schema: str) -> list[str]:
    head = ("cause", "orders", "differences", "absolute", "CRM less ERP")
    rows = [
        (str(cause), f"{orders:,}", f"{differences:,}", _or_none(absolute), _or_none(signed))
        for cause, orders, differences, absolute, signed in _rows(connection, CAUSES, schema)
    ]
    return ["## Causes", _markdown(head, rows)] if rows else []


def _largest(connection: Connection, schema: str) -> list[str]:
    head = ("order", "company", "cause", "CRM less ERP", "")
    rows = [
        (str(order), str(company or ""), str(cause), amount(difference), str(currency or ""))
        for order, company, cause, difference, currency in _rows(connection, LARGEST, schema)
    ]
    return ["## Largest", _markdown(head, rows)] if rows else []


def _rest(waterfall: Waterfall) -> str:
    return f"Unexplained: {amount(waterfall.rest)} {waterfall.currency}"


def _table(waterfall: Waterfall) -> str:
    rows = "".join(
        f'<tr><td>{escape(step.words)}</td><td class="amount">{amount(step.amount)}</td>'
        f'<td class="amount">{step.documents:,}</td></tr>'
        for step in waterfall.steps
    )
    return f"<table><tr><th>step</th><th>amount</th><th>documents</th></tr>{rows}</table>"


def _markdown_steps(waterfall: Waterfall) -> str:
    rows = ((step.words, amount(step.amount), f"{step.documents:,}") for step in waterfall.steps)
    return _markdown(("step", waterfall.currency, "documents"), rows)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _or_none(value: Decimal | None) -> str:
    return "no rate" if value is None else amount(value)


def _rows(connection: Connection, query: str, schema: str) -> list[tuple[Any, ...]]:
    composed = sql.SQL(query).format(
        differences=sql.Identifier(schema, "reconciliation_differences"),
        orders=sql.Identifier(schema, "order_reconciliation"),
        limit=sql.Literal(LISTED),
    )
    return connection.execute(composed).fetchall()
