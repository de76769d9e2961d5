"""Invoices of a shop in one flat file, with all its faults, through a mapping file alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows.core.settings import PROJECT_ROOT
from flows.core.warehouse import connect
from flows.sources.connections import ConnectionConfig
from tests.fixtures.dirty_orders import HELD, totals, wholesaler
from tests.fixtures.explained import integrate_once, own_warehouse

MAPPING = PROJECT_ROOT / "tests" / "public_data" / "flat_invoices.yml"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
Line = tuple[str, str, int, str, str, str]


def sales() -> Iterator[Line]:
    """Yield two months of plain invoices: number, article, quantity, date, price, customer."""
    for number in range(60):
        for place in range(3):
            day = f"{1 + number % 2}/{1 + number % 28}/2026 10:00"
            article, price = f"A{(number + place) % 9}", f"{1 + place}.{number % 10}5"
            yield f"10{number:02}", article, 1 + place, day, price, str(500 + number % 7)


ODDITIES: list[Line] = [
    ("C1001", "A1", -1, "2/20/2026 10:00", "1.15", "501"),  # goods of 1001 taken back
    ("C2000", "A1", -5, "2/20/2026 10:00", "9.99", "502"),  # an invoice of which nobody knows
    ("2001", "A1", 2, "1/20/2026 10:00", "3.30", ""),  # without a customer
    ("2002", "A2", 1, "1/20/2026 10:00", "4.40", "501"),  # the same article twice in one invoice
    ("2002", "A2", 6, "1/20/2026 10:00", "4.40", "501"),
    ("2003", "A3", 1, "1/20/2026 10:00", "0", "501"),  # given away
    ("2004", "DEBT", 1, "2/20/2026 10:00", "-110.62", "501"),  # a bad debt written off as a price
    ("2005", "POST", 1, "2/20/2026 10:00", "15.00", "599"),  # a service, for a new customer
]
EXPORTED_TWICE: list[Line] = [("2002", "A2", 6, "1/20/2026 10:00", "4.40", "501")]


def write_files(folder: Path) -> None:
    """Write the flat file."""
    lines = [*sales(), *ODDITIES, *EXPORTED_TWICE]
    text = "".join(
        f"\n{no},{code},Article {code},{quantity},{day},{price},{customer},Norway"
        for no, code, quantity, day, price, customer in lines
    )
    (folder / "lines.csv").write_text(HEADER + text + "\n", encoding="utf-8")


def total(month: int | None = None) -> Decimal:
    """Return what the file's lines add up to, each counted once."""
    return sum(
        (
            line[2] * Decimal(line[4])
            for line in [*sales(), *ODDITIES]
            if month is None or line[3].startswith(f"{month}/")
        ),
        Decimal(0),
    )


@pytest.fixture(scope="module")
def shop(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Integrate the shop once for the module."""
    folder = tmp_path_factory.mktemp("shop")
    write_files(folder)
    configs = [shop_of(folder), wholesaler(folder)]
    with own_warehouse(postgres_server, migrated_template, folder):
        integrate_once(configs, judges_marts=True)
        yield


def shop_of(folder: Path) -> ConnectionConfig:
    options = {"path": str(folder), "mapping": str(MAPPING), "kind": "erp"}
    return ConnectionConfig("shop", "files", options)


def rows(query: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_every_cent_of_the_file_is_published_once(shop: None) -> None:
    assert rows("select count(*) from quarantine.rows where source_system = 'shop'") == [(0,)]
    assert rows(
        "select (select sum(net_amount) from marts.invoices where source_system = 'shop'), "
        "(select sum(net_amount) from marts.invoice_lines where source_system = 'shop'), "
        "(select count(*) from marts.invoice_lines where source_system = 'shop')"
    ) == [(total(), total(), len([*sales(), *ODDITIES]))]


def test_revenue_by_month_is_that_of_the_file_less_what_was_taken_back(shop: None) -> None:
    found = rows(
        "select extract(month from month)::int, max(value) filter (where metric = "
        "'invoiced_value_net') - coalesce(max(value) filter (where metric = "
        "'returned_value_net'), 0) "
        "from marts.integration_scorecard "
        "where metric in ('invoiced_value_net', 'returned_value_net') group by month "
        "having max(value) filter (where metric = 'invoiced_value_net') <> 0 order by month"
    )
    assert [(month, Decimal(value)) for month, value in found] == [
        (1, total(1)),
        (2, total(2)),
        (3, Decimal(10)),  # the receipts
    ]


def test_who_bought_without_an_account_is_one_customer_and_lost_to_no_total(shop: None) -> None:
    assert rows(
        "select count(*) from marts.invoices where source_system = 'shop' and customer_id is null"
    ) == [(0,)]
    assert rows(
        "select count(distinct customer_id) from marts.customer_crosswalk "
        "where source_system = 'shop' and is_current"
    ) == [(9,)]


def test_a_credit_without_its_invoice_is_open_to_see(shop: None) -> None:
    ((over, credited),) = rows(
        "select count(*) filter (where state = 'over'), count(*) from marts.quantity_flow "
        "where from_document_id = 'C2000' or to_document_id = 'C2000'"
    )
    assert over == credited > 0


def test_what_nobody_delivered_is_null_and_says_so(shop: None) -> None:
    found = rows(
        "select metric, bool_and(value is null), max(reason) from marts.integration_scorecard "
        "where metric in ('cash_application_rate', 'perfect_order_rate', 'dso', "
        "'field_agreement_rate', 'touchless_order_rate') group by metric"
    )
    assert len(found) == 5
    assert all(is_null and reason for _, is_null, reason in found)


def test_analysts_see_how_old_every_table_and_source_is(shop: None) -> None:
    """The file gives its rows no time of change, so only the landing is known."""
    assert rows(
        "select state, freshness_minutes, last_landed_at is not null, published_at is not null "
        "from marts.mart_freshness where mart = 'invoices'"
    ) == [("unknown", None, True, True)]
    assert rows(
        "select last_landed_at between now() - interval '1 hour' and now() "
        "from marts.source_freshness where source_system = 'shop' and entity = 'invoice_lines'"
    ) == [(True,)]
    ((published, timed),) = rows(
        "select (select count(*) from pg_views where schemaname = 'marts'), "
        "(select count(*) from marts.mart_freshness)"
    )
    # The calendar, the figures of finance and the runs' own tables are made of no source's rows.
    assert timed > published - 12


def flagged(rule: str) -> list[str]:
    found = rows(f"select source_key from ops.failures where rule = '{rule}' order by 1")
    return [key for (key,) in found]


@pytest.mark.parametrize(("order", "rule"), HELD.items())
def test_an_order_that_would_falsify_a_total_is_held_whole(
    shop: None, order: str, rule: str
) -> None:
    keys = {key.partition("-")[0] for key in flagged(rule)}
    assert order in keys
    ((held, published),) = rows(
        f"select (select count(*) from quarantine.rows where document_key = '{order}'), "
        f"(select count(*) from marts.order_lines where order_id = '{order}')"
    )
    assert held > 0 == published


def test_what_is_not_held_is_in_the_totals_with_its_freight(shop: None) -> None:
    for lines in ("orders", "order_lines"):
        assert (
            dict(rows(f"select currency, sum(net_amount) from marts.{lines} group by currency"))
            == totals()
        )
    assert rows("select count(*) from marts.orders where order_date is null") == [(0,)]


def test_what_a_delivery_says_twice_is_taken_once_and_flagged(shop: None) -> None:
    assert flagged("line_is_given_once") == ["2002-A2-6-4.40", "repeated-A1"]
    assert flagged("rows_of_one_key_agree") == ["two_buyers"]
    assert rows("select count(*) from marts.order_lines where order_id = 'repeated'") == [(2,)]


def test_rows_that_are_the_same_are_kept_apart_where_the_mapping_numbers_them(shop: None) -> None:
    assert rows(
        "select count(*), sum(net_amount) from marts.invoice_lines "
        "where source_system = 'wholesaler'"
    ) == [(4, Decimal("10.00"))]


def test_what_has_no_rate_is_named_and_left_out_of_sums_in_the_reporting_currency(
    shop: None,
) -> None:
    assert "dollars" in flagged("amount_is_converted")
    assert rows(
        "select max(unknown_count) from marts.integration_scorecard "
        "where metric = 'order_value_net' and month = '2026-02-01'"
    ) == [(1,)]
