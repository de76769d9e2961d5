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
