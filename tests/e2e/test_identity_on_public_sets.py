"""How well records are matched, measured through the product on sets whose truth is known.

One set of weights for all of them, no labels. Every number here is a floor, not what is reached.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.sandbox.company import write_company
from tests.fixtures.company_registers import write_registers
from tests.fixtures.identity_runs import matched, measure
from tests.fixtures.identity_sets import SETS, Prepared, connections_file, prepare

# The least F1 and precision per set.
FLOORS = {
    "restaurants": (0.96, 0.99),
    "senzing": (0.78, 0.92),
    "febrl3": (0.992, 0.99),
    "febrl4": (0.997, 0.99),
    "fake_1000": (0.86, 0.99),
    "historical_50k": (0.75, 0.99),
}


def _world(folder: Path) -> Prepared:
    write_company(folder)
    kinds = {name: {"kind": name} for name in ("crm", "erp")}
    return Prepared(connections_file(folder, kinds), folder / "truth_customers.csv")


MADE_UP: dict[str, tuple[Callable[[Path], Prepared], float, float]] = {
    "two registers of companies, two years apart": (write_registers, 0.97, 0.995),
    "the generated world": (_world, 0.97, 0.995),
}


@pytest.mark.public_data
@pytest.mark.parametrize("name", FLOORS)
def test_a_public_set_is_matched_as_well_as_promised(
    name: str, postgres_server: str, migrated_template: str, tmp_path: Path
) -> None:
    if not SETS[name].is_here:
        pytest.skip("the public data is not here")
    least_f1, least_precision = FLOORS[name]
    prepared = prepare(name, tmp_path)
    with matched(prepared, postgres_server, migrated_template, tmp_path / "home"):
        measured = measure(prepared.truth)
    assert measured.f1 >= least_f1, measured.text
    assert measured.precision >= least_precision, measured.text


@pytest.mark.parametrize("name", MADE_UP)
def test_a_world_made_up_with_its_truth_is_matched_as_well_as_promised(
    name: str, postgres_server: str, migrated_template: str, tmp_path: Path
) -> None:
    make, least_f1, least_precision = MADE_UP[name]
    prepared = make(tmp_path)
    with matched(prepared, postgres_server, migrated_template, tmp_path / "home"):
        measured = measure(prepared.truth)
    assert measured.f1 >= least_f1, measured.text
    assert measured.precision >= least_precision, measured.text
