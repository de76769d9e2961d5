"""Files of any shape through a mapping file alone: landed, viewed, and tied out."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.core.errors import MappingError
from flows.core.settings import PROJECT_ROOT
from flows.core.warehouse import connect
from flows.landing import land_connection
from flows.sources import open_source
from flows.sources.connections import ConnectionConfig

PUBLIC_DATA = PROJECT_ROOT.parent / "shared" / "data" / "extracts"
MAPPINGS = PROJECT_ROOT / "tests" / "public_data"
needs_public_data = pytest.mark.skipif(
    not PUBLIC_DATA.is_dir(), reason=f"the public extracts are not at {PUBLIC_DATA}"
)
Query = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def query(warehouse: str) -> Iterator[Query]:
    with connect(autocommit=True) as connection:
        yield lambda text: connection.execute(text.encode()).fetchall()


def configured(folder: Path, mapping: str) -> ConnectionConfig:
    file = folder / "mapping.yml"
    file.write_text(mapping, encoding="utf-8")
    return ConnectionConfig("erp", "files", {"path": str(folder), "mapping": str(file)})


def public(name: str, folder: str, mapping: str) -> tuple[ConnectionConfig, dict[str, object]]:
    path = PUBLIC_DATA / folder
    options = {"path": str(path), "mapping": str(MAPPINGS / mapping), "kind": "erp"}
    totals: dict[str, object] = json.loads((path / "control_totals.json").read_text())
    return ConnectionConfig(name, "files", options), totals


def money(value: object) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


@pytest.mark.public_data
@needs_public_data
def test_northwind_ties_out_to_the_cent(query: Query) -> None:
    config, totals = public("northwind", "northwind_erp", "northwind.yml")
    landed = land_connection(config, run_id=None)

    assert [batch.object for batch in landed if batch.rejected or batch.refusal] == []
    [(customers, addresses, contacts)] = query(
        "select (select count(*) from raw.customers), (select count(*) from raw.addresses),"
        " (select count(*) from raw.contacts)"
    )
    assert customers == addresses == contacts == totals["customers"]
    [(orders, buyers, unshipped)] = query(
        "select count(*), count(distinct customer_id), count(*) filter (where status = 'open')"
        " from raw.orders where order_date::date between '1996-07-04' and '1998-05-06'"
    )
    assert orders == totals["orders"]
    assert buyers == totals["customers_with_orders"]
    assert unshipped == totals["unshipped_orders"]
    [(lines, gross, net)] = query(
        "select count(*), sum(quantity::numeric * unit_price::numeric), sum(net_amount::numeric)"
        " from raw.order_lines"
    )
    assert lines == totals["order_lines"]
    assert money(gross) == money(totals["gross"])
    assert money(net) == money(totals["net_after_discount"])
    [(freight,)] = query("select sum((payload ->> 'Freight')::numeric) from raw.orders")
    assert money(freight) == money(totals["freight"])
    assert query("select count(*) from raw.shipments") == [(830 - 21,)]
    assert query(
        "select count(*) from raw.shipment_lines left join raw.shipments using (shipment_id)"
        " where shipments.shipment_id is null"
    ) == [(0,)]
    assert everything_was_readable(query)


@pytest.mark.public_data
@needs_public_data
def test_the_sap_bike_company_ties_out_to_the_cent(query: Query) -> None:
    config, totals = public("sap_bikes", "sap_bikes_erp", "sap_bikes.yml")
    landed = land_connection(config, run_id=None)

    assert [batch.object for batch in landed if batch.rejected or batch.refusal] == []
    assert query("select count(*) from raw.customers") == [(totals["partners"],)]
    [(orders, net, tax, gross)] = query(
        "select count(*), sum(net_amount::numeric), sum(tax_amount::numeric),"
        " sum(gross_amount::numeric) from raw.orders"
    )
    assert orders == totals["orders"]
    assert [net, tax, gross] == [
        Decimal(str(totals[name])) for name in ("header_net", "header_tax", "header_gross")
    ]
    [(items, items_net)] = query("select count(*), sum(net_amount::numeric) from raw.order_lines")
    assert items == totals["items"]
    assert items_net == Decimal(str(totals["header_net"]))
    unequal = query(
        "select order_id from raw.orders join raw.order_lines as line using (order_id)"
        " group by order_id, orders.net_amount"
        " having sum(line.net_amount::numeric) <> orders.net_amount::numeric"
    )
    assert unequal == []
    assert query("select status, count(*) from raw.orders group by 1 order by 1") == [
        ("cancelled", 3),
        ("closed", 311),
        ("open", 20),
    ]
    assert query("select min(order_id), min(order_date) from raw.orders") == [
        ("0500000000", "2018-01-11")
    ]
    assert query("select name from raw.products where product_id = 'RC-1056'") == [
        ("Veloflash Second Edition",)
    ]
    assert query(
        "select addressee, street, city, country from raw.addresses where address_id = '1000000039'"
    ) == [("Alpha AG", "Kantstraße 56", "Callenberg", "DE")]
    assert query("select count(*) from raw.addresses where city is null or street is null") == [
        (0,)
    ]
    assert everything_was_readable(query)


def everything_was_readable(query: Query) -> bool:
    entities = ("customers", "addresses", "products", "orders", "order_lines", "shipments")
    selects = [f"select invalid_columns from raw.{name}" for name in entities]
    return all(row == (None,) for row in query(" union all ".join(selects)))


GERMAN = """\
files:
  auftraege:
    path: Aufträge.csv
    delimiter: ";"
    encoding: cp1252
    decimal: ","
    thousands: "."
    date_format: DD.MM.YYYY
    types: {Datum: date, Wert: number, Bezahlt: boolean}
entities:
  orders:
    file: auftraege
    where: '"Wert" <> 0'
    columns:
      order_id: Nr
      order_date: Datum
      net_amount: Wert
      status: {sql: "case when \\"Bezahlt\\" then 'closed' else 'open' end"}
      customer_id: Kunde
      currency: {constant: EUR}
"""


def test_german_files_are_read_as_they_are(query: Query, tmp_path: Path) -> None:
    text = "\ufeffNr ;Datum;Wert;Bezahlt;Kunde\n1;3.1.2026;1.234,50;ja;Müller\n2;04.01.2026;-7;1;\n"
    (tmp_path / "Aufträge.csv").write_bytes(text.lstrip("\ufeff").encode("cp1252"))
    land_connection(configured(tmp_path, GERMAN), run_id=None)

    found = query(
        "select order_id, order_date, net_amount, status, customer_id, currency, invalid_columns"
        " from raw.orders order by order_id"
    )
    assert found == [
        ("1", "2026-01-03", "1234.50", "open", "Müller", "EUR", ["status"]),
        ("2", "2026-01-04", "-7", "closed", None, "EUR", None),
    ]


def test_one_unreadable_value_marks_its_row_and_no_other(query: Query, tmp_path: Path) -> None:
    rows = ["1;32.1.2026;10;0;", "2;1.1.2026;zehn;0;", "3;1.1.2026;0;0;", "4;;;;"]
    lines = "\n".join(["Nr;Datum;Wert;Bezahlt;Kunde", *rows])
    (tmp_path / "Aufträge.csv").write_bytes(lines.encode("cp1252"))
    land_connection(configured(tmp_path, GERMAN), run_id=None)

    found = query("select order_id, invalid_columns from raw.orders order by order_id")
    assert found == [
        ("1", ["order_date"]),
        # Whether the condition holds cannot be told, so the row stays and its key is doubted.
        ("2", ["order_id", "net_amount"]),
    ]


TWO_PARTS = """\
files: {customers: {path: customers.csv}}
entities:
  addresses:
    - file: customers
      columns: {address_id: {sql: "\\"id\\" || '-b'"}, customer_id: id, city: bill_city}
    - file: customers
      where: '"ship_city" is not null'
      columns: {address_id: {sql: "\\"id\\" || '-s'"}, customer_id: id, city: ship_city}
"""


def test_two_rows_made_of_one_file_row_have_their_own_raw_ids(query: Query, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,bill_city,ship_city\n1,Bonn,Rom\n2,Oslo,\n")
    land_connection(configured(tmp_path, TWO_PARTS), run_id=None)

    found = query("select raw_id, address_id, city from raw.addresses order by address_id")
    assert [row[1:] for row in found] == [("1-b", "Bonn"), ("1-s", "Rom"), ("2-b", "Oslo")]
    assert len({row[0] for row in found}) == 3


LOOKUP = """\
files:
  partners: {path: partners.csv}
  addresses: {path: addresses.csv}
entities:
  addresses:
    file: partners
    lookups: {address: {file: addresses, match: {address: key}}}
    columns: {address_id: address, customer_id: id, city: address.city}
"""


def test_a_row_is_landed_again_when_what_it_borrows_changed(query: Query, tmp_path: Path) -> None:
    (tmp_path / "partners.csv").write_text("id,address\nP1,A1\nP2,A9\n")
    (tmp_path / "addresses.csv").write_text("key,city\nA1,Bonn\nA2,Rom\n")
    config = configured(tmp_path, LOOKUP)
    first = land_connection(config, run_id=None)
    cities = "select customer_id, city from raw.addresses where batch_id = {} order by 1"

    assert [batch.object for batch in first] == ["addresses", "partners"]
    assert query(cities.format(first[1].batch_id)) == [("P1", "Bonn"), ("P2", None)]
    assert all(batch.unchanged for batch in land_connection(config, run_id=None))

    (tmp_path / "addresses.csv").write_text("key,city\nA1,Berlin\nA2,Rom\n")
    second = land_connection(config, run_id=None)

    assert [batch.unchanged for batch in second] == [False, False]
    assert query(cities.format(second[1].batch_id)) == [("P1", "Berlin"), ("P2", None)]


def test_a_file_without_a_header_line_is_mapped_by_the_names_given(
    query: Query, tmp_path: Path
) -> None:
    (tmp_path / "o.dat").write_text("1|X\n2|Y\n")
    mapping = (
        "files: {o: {path: o.dat, delimiter: '|', header: [nr, kunde]}}\n"
        "entities: {orders: {file: o, columns: {order_id: nr, customer_id: kunde}}}\n"
    )
    land_connection(configured(tmp_path, mapping), run_id=None)

    found = query("select order_id, customer_id from raw.orders order by 1")
    assert found == [("1", "X"), ("2", "Y")]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("upper(", "does not compile"),
        ("\"Wert\" || 1 + 'a'", "does not compile"),
        ("Wert + 1", 'column "wert" does not exist; write the file\'s columns in double quotes'),
        ("1 / 0", "division by zero"),
        ("1); drop schema ops cascade; select (1", "takes no 'select'"),
        ("1); drop schema ops cascade; values (1", "does not compile"),
        ("(select 1)", "use 'lookups'"),
        ("random()", "'random' gives another value at another time"),
        ("current_date", "'current_date' gives another value"),
    ],
)
def test_sql_that_cannot_stand_is_refused_before_anything_runs(
    query: Query, tmp_path: Path, expression: str, words: str
) -> None:
    (tmp_path / "o.csv").write_text("Nr,Wert\n")
    mapping = (
        "files: {o: {path: o.csv, types: {Wert: number}}}\n"
        "entities:\n  orders:\n    file: o\n    columns:\n      order_id: Nr\n"
        f"      net_amount: {{sql: {json.dumps(expression)}}}\n"
    )
    with pytest.raises(MappingError) as raised:
        open_source(configured(tmp_path, mapping))

    assert "line 7: column 'net_amount' of entity 'orders': " in str(raised.value)
    assert words in str(raised.value)
    assert query("select count(*) from ops.batches") == [(0,)]


def test_a_lookup_that_cannot_match_is_refused(query: Query, tmp_path: Path) -> None:
    (tmp_path / "partners.csv").write_text("id,address\n")
    (tmp_path / "addresses.csv").write_text("key,city\n")
    typed = LOOKUP.replace("path: addresses.csv", "path: addresses.csv, types: {key: number}")
    with pytest.raises(MappingError, match="line 7: lookup 'address' of entity 'addresses'"):
        open_source(configured(tmp_path, typed))


def test_files_the_mapping_says_nothing_about_are_known(query: Query, tmp_path: Path) -> None:
    for name in ("partners.csv", "addresses.csv", "more.csv", "LICENSE"):
        (tmp_path / name).write_text("id,address,key,city\n")
    source = open_source(configured(tmp_path, LOOKUP))

    assert [one.name for one in source.objects()] == ["addresses", "partners"]
    assert source.unmapped == ["more.csv"]  # type: ignore[attr-defined]
