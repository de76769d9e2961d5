"""The views raw.<entity>: what they show, and what it takes to change them."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from flows.core import canonical
from flows.core.warehouse import connect
from flows.landing.canonical_selects import columns_of
from flows.landing.canonical_views import refresh
from flows.sources.connections import ConnectionConfig
from tests.fixtures.raw_tables import insert_rows, make_raw_table

ERP = ConnectionConfig("erp", "files", {"path": "erp"})
OTHER = ConnectionConfig("erp_no", "files", {"path": "erp_no"})


@pytest.fixture
def connection(warehouse: str) -> Iterator[psycopg.Connection]:
    with connect() as opened:
        yield opened


def columns(connection: psycopg.Connection, view: str) -> list[tuple[str, str]]:
    query = """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 order by attnum
    """
    return [(row[0], row[1]) for row in connection.execute(query, (view,))]


def test_every_entity_has_a_view_before_anything_landed(connection: psycopg.Connection) -> None:
    changed = refresh(connection)

    assert changed == [entity.name for entity in canonical.entities()]
    for entity in canonical.entities():
        assert columns(connection, f"raw.{entity.name}") == columns_of(entity)
        found = connection.execute(
            sql.SQL("select from raw.{}").format(sql.Identifier(entity.name))
        )
        assert found.rowcount == 0


def test_rows_of_all_connections_stand_in_one_view(connection: psycopg.Connection) -> None:
    for config in (ERP, OTHER):
        make_raw_table(connection, config.name, "orders")
        insert_rows(connection, config.name, "orders", [{"order_id": "007", "net_amount": "1.50"}])
    refresh(connection, ERP, OTHER)

    query = """
        select source_system, kind, order_id, net_amount, customer_id, invalid_columns
        from raw.orders order by source_system
    """
    assert connection.execute(query).fetchall() == [
        ("erp", "erp", "007", "1.50", None, None),
        ("erp_no", "erp", "007", "1.50", None, None),
    ]


def test_a_connection_no_longer_configured_stays_readable(connection: psycopg.Connection) -> None:
    make_raw_table(connection, "erp", "orders")
    insert_rows(connection, "erp", "orders", [{"order_id": "1"}])
    refresh(connection, ERP)
    make_raw_table(connection, "erp_no", "orders")
    refresh(connection, OTHER)

    assert connection.execute("select source_system from raw.orders").fetchall() == [("erp",)]


def test_nothing_is_altered_when_nothing_changed(connection: psycopg.Connection) -> None:
    make_raw_table(connection, "erp", "orders")
    refresh(connection, ERP)
    connection.commit()

    assert refresh(connection, ERP) == []
    query = "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'"
    assert connection.execute(query).fetchone() == (0,)
    assert connection.execute("select pg_current_xact_id_if_assigned()").fetchone() == (None,)


def test_a_view_whose_columns_changed_is_made_anew(connection: psycopg.Connection) -> None:
    connection.execute("create view raw.orders as select 1 as order_id")
    refresh(connection, ERP)

    assert columns(connection, "raw.orders") == columns_of(canonical.entity("orders"))


def test_the_kind_is_told_by_the_entities_unless_configured(
    connection: psycopg.Connection,
) -> None:
    make_raw_table(connection, "erp", "orders")
    make_raw_table(connection, "crm", "contacts")
    make_raw_table(connection, "shop", "contacts")
    refresh(
        connection,
        ERP,
        ConnectionConfig("crm", "files"),
        ConnectionConfig("shop", "files", {"kind": "erp"}),
    )

    query = "select connection, kind from ops.connections order by connection"
    expected = [("crm", "crm"), ("erp", "erp"), ("shop", "erp")]
    assert connection.execute(query).fetchall() == expected
    query = "select distinct kind from raw.contacts where source_system = 'shop'"
    insert_rows(connection, "shop", "contacts", [{"contact_id": "1"}])
    assert connection.execute(query).fetchall() == [("erp",)]


def test_a_condition_on_the_batch_reaches_every_raw_table(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    (tmp_path / "mapping.yml").write_text(
        "files: {bestellungen: {path: b.csv, types: {Datum: date, Wert: number}}}\n"
        "entities:\n"
        "  orders:\n"
        "    - {file: bestellungen, columns: {order_id: Nr, order_date: Datum}}\n"
        "    - {file: bestellungen, where: '\"Wert\" > 1', columns: {order_id: Nr}}\n",
        encoding="utf-8",
    )
    mapped = ConnectionConfig("erp_de", "files", {"mapping": str(tmp_path / "mapping.yml")})
    for name, table in (("erp", "orders"), ("erp_no", "orders"), ("erp_de", "bestellungen")):
        make_raw_table(connection, name, table)
    refresh(connection, ERP, OTHER, mapped)

    query = "explain (format json) select order_id from raw.orders where batch_id >= 4"
    row = connection.execute(query).fetchone()
    assert row is not None
    scans = list(table_scans(row[0][0]["Plan"]))
    names = sorted(str(scan["Relation Name"]) for scan in scans)
    assert names == ["bestellungen", "bestellungen", "orders", "orders"]
    assert all("batch_id >= 4" in json.dumps(scan) for scan in scans)


def table_scans(plan: dict[str, object]) -> Iterator[dict[str, object]]:
    if "Relation Name" in plan or plan["Node Type"] == "Bitmap Heap Scan":
        yield plan
        return
    children = plan.get("Plans", [])
    assert isinstance(children, list)
    for child in children:
        yield from table_scans(child)
