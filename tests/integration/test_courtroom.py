"""The gate's own process: it judges the warehouse of the run that asks it."""

import pytest

from flows.core.warehouse import connect
from flows.gates import Courtroom, begin_to_load
from tests.fixtures.gates import World, order
from tests.fixtures.postgres import forget_settings, new_database


@pytest.fixture
def elsewhere(
    warehouse: str, postgres_server: str, migrated_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begin to load a gate for a warehouse that the settings then no longer point at."""
    with new_database(postgres_server, migrated_template) as other:
        monkeypatch.setenv("CONCORD_WAREHOUSE_URL", other)
        forget_settings()
        begin_to_load()
        monkeypatch.setenv("CONCORD_WAREHOUSE_URL", warehouse)
        forget_settings()


@pytest.mark.usefixtures("elsewhere")
def test_a_gate_that_began_to_load_for_another_warehouse_judges_the_one_of_the_run() -> None:
    assert verdicts_of_a_run() == {("raw", "pass")}


@pytest.mark.usefixtures("warehouse")
def test_a_gate_that_began_to_load_early_is_the_one_that_judges() -> None:
    begin_to_load()
    assert verdicts_of_a_run() == {("raw", "pass")}


def verdicts_of_a_run() -> set[tuple[str, str]]:
    world = World()
    world.land(3)
    world.fill(order("O1"))
    run_id = world.start_run()
    with Courtroom() as gate:
        gate.judge("raw", run_id=run_id)
    with connect() as connection:
        query = "select promotion, outcome from ops.verdicts where run_id = %s"
        return set(connection.execute(query, (run_id,)).fetchall())
