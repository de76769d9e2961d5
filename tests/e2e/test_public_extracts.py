"""Public extracts nobody here wrote, through the main job by mapping files alone, to the cent."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli.prefect_server import PrefectServer
from flows.core.warehouse import connect
from tests.fixtures.postgres import forget_settings, new_database

ROOT = Path(__file__).resolve().parents[2]
EXTRACTS = ROOT.parent / "shared" / "data" / "extracts"
MAPPINGS = ROOT / "tests" / "public_data"
TOTALS = """
select
    count(*) as orders,
    sum(net_amount) as net,
    sum(gross_amount) as gross,
    sum(tax_amount) as tax
from marts.orders where source_system = %s
"""
LINES = "select count(*), sum(net_amount) from marts.order_lines where source_system = %s"

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(not EXTRACTS.is_dir(), reason="the public extracts are not here"),
]


@pytest.fixture(scope="module")
def integrated(
    postgres_server: str,
    migrated_template: str,
    prefect_server: PrefectServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Run the main job over both extracts, twice; yield how the second run ended."""
    folder = tmp_path_factory.mktemp("public")
    connections = {
        name: {"system": "files", "path": str(EXTRACTS / f"{name}_erp"), "mapping": str(mapping)}
        for name in ("northwind", "sap_bikes")
        if (mapping := MAPPINGS / f"{name}.yml")
    }
    file = folder / "connections.yaml"
    file.write_text(yaml.safe_dump({"connections": connections}), encoding="utf-8")
    with new_database(postgres_server, migrated_template) as url, pytest.MonkeyPatch.context() as m:
        m.setenv("CONCORD_WAREHOUSE_URL", url)
        m.setenv("CONCORD_HOME", str(folder / "home"))
        m.setenv("CONCORD_CONNECTIONS", str(file))
        forget_settings()
        from flows.integrate import integrate  # noqa: PLC0415 - Prefect reads its settings first

        assert integrate() == "done"
        yield integrate()
    forget_settings()


def control_totals(name: str) -> dict[str, Any]:
    path = EXTRACTS / f"{name}_erp" / "control_totals.json"
    return dict(json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))


def one(query: str, *parameters: str) -> tuple[Any, ...]:
    with connect() as connection:
        row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row


def test_northwind_ties_out(integrated: str) -> None:
    control = control_totals("northwind")
    orders, net, _, _ = one(TOTALS, "northwind")
    lines, lines_net = one(LINES, "northwind")
    assert (orders, lines) == (control["orders"], control["order_lines"])
    assert round(net, 2) == round(lines_net, 2) == control["net_after_discount"]


def test_sap_bikes_ties_out(integrated: str) -> None:
    control = control_totals("sap_bikes")
    orders, net, gross, tax = one(TOTALS, "sap_bikes")
    lines, lines_net = one(LINES, "sap_bikes")
    assert (orders, lines) == (control["orders"], control["items"])
    assert (net, gross, tax) == (
        control["header_net"],
        control["header_gross"],
        control["header_tax"],
    )
    assert lines_net == control["header_net"]


def test_every_customer_and_partner_is_a_customer(integrated: str) -> None:
    (records,) = one("select count(*) from marts.customer_crosswalk where is_current")
    expected = control_totals("northwind")["customers"] + control_totals("sap_bikes")["partners"]
    assert records == expected


def test_nothing_is_held_back_or_rejected(integrated: str) -> None:
    assert one("select count(*) from quarantine.rows") == (0,)
    assert one("select sum(rejected_count) from ops.batches") == (0,)


def test_a_second_run_finds_nothing_new(integrated: str) -> None:
    assert integrated == "unchanged"


@pytest.mark.parametrize("name", ["northwind", "sap_bikes"])
def test_the_value_of_the_orders_by_month_adds_up_to_the_total_less_what_was_cancelled(
    integrated: str, name: str
) -> None:
    """What the metrics count, and what they leave out with a reason, is the control total."""
    total = control_totals(name)["net_after_discount" if name == "northwind" else "header_net"]
    counted, orders = one(
        "select sum(net_amount), count(*) from marts.order_metrics "
        "inner join marts.orders using (source_system, order_id) where source_system = %s",
        name,
    )
    cancelled, dropped = one(
        "select coalesce(sum(net_amount), 0), count(*) from marts.orders "
        "where source_system = %s and status = 'cancelled'",
        name,
    )
    assert round(counted + cancelled, 2) == round(total, 2)
    assert orders + dropped == control_totals(name)["orders"]


def test_the_scorecard_counts_every_order_line_that_is_not_cancelled(integrated: str) -> None:
    (counted,) = one(
        "select sum(value) from marts.integration_scorecard where metric = 'order_line_count'"
    )
    expected, cancelled = one(
        "select count(*), count(*) filter (where order_status = 'cancelled') "
        "from marts.order_lines where quantity <> 0"
    )
    assert counted == expected - cancelled
    assert expected == (
        control_totals("northwind")["order_lines"] + control_totals("sap_bikes")["items"]
    )


def test_what_is_ordered_is_shipped_open_or_cancelled(integrated: str) -> None:
    ordered, shipped, still_open, unshipped = one(
        "select sum(progress.quantity), sum(progress.quantity_fulfilled), "
        "sum(progress.quantity - progress.quantity_fulfilled), "
        "count(distinct orders.order_id) filter (where progress.fulfilment_status = 'open') "
        "from marts.order_line_progress as progress inner join marts.orders as orders "
        "using (source_system, order_id) where source_system = 'northwind'"
    )
    (in_file,) = one(
        "select sum(quantity) from marts.shipment_lines where source_system = %s", "northwind"
    )
    assert ordered == shipped + still_open
    assert shipped == in_file
    assert unshipped == control_totals("northwind")["unshipped_orders"]


def test_every_cent_is_missing_in_the_crm_and_nothing_is_unexplained(integrated: str) -> None:
    """There is no CRM: the whole value of the ERP is one cause, to the cent."""
    found = one(
        "select sum(difference_amount) filter (where status <> 'cancelled'), "
        "array_agg(distinct reconciliation.cause) filter (where difference_amount <> 0) "
        "from marts.order_reconciliation as reconciliation inner join marts.orders as orders "
        "on reconciliation.erp_source_system = orders.source_system "
        "and reconciliation.order_id = orders.order_id"
    )
    (value,) = one("select sum(net_amount) from marts.orders where status <> 'cancelled'")
    assert (abs(round(found[0], 2)), found[1]) == (round(value, 2), ["missing_in_crm"])
    explained, differing = one(
        "select (select sum(amount) from marts.reconciliation_differences), "
        "(select sum(difference_amount) from marts.order_reconciliation)"
    )
    assert explained == differing


def test_every_line_is_matched_as_far_as_there_are_documents(integrated: str) -> None:
    outcomes = one(
        "select array_agg(distinct outcome) filter (where outcome is not null), "
        "sum(closed_count), sum(invoiced_quantity) from marts.document_match"
    )
    assert set(outcomes[0] or ()) <= {"missing_invoice", "missing_quote"}
    assert not outcomes[2]


def test_what_neither_extract_delivers_is_null_with_its_reason(integrated: str) -> None:
    (unexplained,) = one(
        "select count(*) from marts.integration_scorecard where metric in ('dso', "
        "'cash_application_rate', 'return_rate_value', 'crm_erp_order_match_rate', "
        "'forecast_wape_lag_0') and (value is not null or reason is null)"
    )
    assert unexplained == 0
