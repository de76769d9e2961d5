"""Forecasts against what was won, in a world small enough to compute by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.fixtures.postgres import forget_settings, new_database
from tests.integration.staged import create_staging, new_run, stage

NOW = datetime(2026, 4, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Four opportunities, staged version by version; the naive forecast is the month before.

    A is expected at 50 (half of 100) in December, at 160 (four fifths of 200) in January, and won
    for 150 in February. B is expected at 40 in March and slips to May. C was won for 120 in
    January of the year before. D was won for 60 this January, and nobody knows what it was before.
    """
    with new_database(postgres_server, migrated_template) as url, pytest.MonkeyPatch.context() as m:
        m.setenv("CONCORD_WAREHOUSE_URL", url)
        m.setenv("CONCORD_HOME", str(tmp_path_factory.mktemp("forecast")))
        forget_settings()
        create_staging()
        with connect() as connection:
            connection.execute(
                "update staging.metric_settings set value = 1 where setting = 'naive_season_months'"
            )
        for version in VERSIONS:
            stage("opportunities", "crm", new_run(), **COMMON, **version)
        models = ["exchange_rates", "orders", "opportunities", "opportunity_history"]
        run_dbt(["run", "--select", "+opportunities,path:models/marts", *models], slot="a")
        run_dbt(["run", "--select", "forecast_accuracy"], slot="a")
        yield
    forget_settings()


def on(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


COMMON: dict[str, Any] = {"currency": "EUR", "owner_id": "U1", "staged_at": NOW}
A = {"opportunity_id": "A", "created_at": on(12, 15, 2025), "close_date": date(2026, 2, 10)}
B = {"opportunity_id": "B", "created_at": on(2, 20)}
C = {"opportunity_id": "C", "created_at": on(1, 10, 2025), "close_date": date(2025, 1, 10)}
D = {"opportunity_id": "D", "created_at": on(12, 1, 2025), "close_date": date(2026, 1, 25)}
WON = {"is_won": True, "is_closed": True, "probability": 1}
VERSIONS: list[dict[str, Any]] = [
    {**A, "amount": 100, "probability": 0.5, "modified_at": on(12, 15, 2025)},
    {**A, "amount": 200, "probability": 0.8, "modified_at": on(1, 20)},
    {**A, **WON, "amount": 150, "modified_at": on(2, 10)},
    {**B, "amount": 80, "stage": "Proposal", "close_date": date(2026, 3, 10),
     "modified_at": on(2, 20)},
    {**B, "amount": 80, "stage": "Proposal", "close_date": date(2026, 5, 10),
     "modified_at": on(3, 5)},
    {**C, **WON, "amount": 120, "modified_at": on(1, 10, 2025)},
    {**D, **WON, "amount": 60, "modified_at": on(1, 25)},
]  # fmt: skip


def cell(month: date, lag: int, *columns: str) -> tuple[Any, ...]:
    with connect() as connection:
        row = connection.execute(
            f"select {', '.join(columns)} from marts_a.forecast_accuracy "
            "where level = 'total' and month = %s and lag_months = %s".encode(),
            (month, lag),
        ).fetchone()
    assert row is not None
    return tuple(float(value) if isinstance(value, int | float) else value for value in row)


def amounts(month: date, lag: int, *columns: str) -> list[float | None]:
    found = cell(month, lag, *(f"{column}::float8" for column in columns))
    return [None if value is None else float(value) for value in found]


FEBRUARY, MARCH, JANUARY = date(2026, 2, 1), date(2026, 3, 1), date(2026, 1, 1)
ERROR = ("forecast_amount_reporting", "actual_amount_reporting", "error_amount_reporting")


def test_the_forecast_is_what_the_pipeline_said_at_the_time(world: None) -> None:
    assert amounts(FEBRUARY, 0, *ERROR) == [160, 150, 10]
    assert amounts(FEBRUARY, 1, *ERROR) == [50, 150, -100]
    assert amounts(FEBRUARY, 3, *ERROR) == [0, 150, -150]


def test_a_sale_that_slips_was_forecast_for_the_month_that_it_left(world: None) -> None:
    """Without a probability of its own, by that of its stage."""
    assert amounts(MARCH, 0, *ERROR) == [40, 0, 40]
    assert amounts(MARCH, 0, "percentage_error", "is_left_out_of_percentage") == [None, 1]


def test_a_sale_of_which_only_the_end_is_known_leaves_its_month_without_a_score(
    world: None,
) -> None:
    assert amounts(JANUARY, 0, "forecast_amount_reporting", "error_amount_reporting") == [None] * 2
    assert cell(JANUARY, 0, "is_scored", "unknown_count", "reason") == (
        False,
        1,
        "sales of this month are known only from a later time",
    )
    assert cell(JANUARY, 1, "is_scored", "unknown_count") == (True, 0), "it was made later"


def test_errors_are_scaled_by_those_that_the_naive_forecast_had_made_by_then(world: None) -> None:
    """The naive forecast was off by 120 in February 2025 and by 60 in January 2026.

    That is 180 in twelve months before February, 120 in eleven before January, 120 in nine before
    November.
    """
    for lag, error, yardstick in ((0, 10, 180 / 12), (1, 100, 120 / 11), (3, 150, 120 / 9)):
        (scaled,) = amounts(FEBRUARY, lag, "scaled_error")
        assert scaled == pytest.approx(error / yardstick, abs=1e-6)


def test_wape_bias_and_value_added_follow_from_the_sums(world: None) -> None:
    with connect() as connection:
        row = connection.execute(
            "select sum(absolute_error_reporting) / sum(scored_actual_amount_reporting), "
            "sum(error_amount_reporting) / sum(scored_actual_amount_reporting), "
            "(sum(naive_absolute_error_reporting) - sum(compared_absolute_error_reporting)) "
            "/ sum(compared_actual_amount_reporting) from marts_a.forecast_accuracy "
            "where level = 'total' and lag_months = 0 and month >= '2026-02-01'"
        ).fetchone()
    assert row is not None
    wape, bias, value_added = map(float, row)
    assert wape == pytest.approx((10 + 40) / 150)
    assert bias == pytest.approx((10 + 40) / 150), "positive is over-forecast"
    assert value_added == pytest.approx(((90 + 150) - (10 + 40)) / 150)


def test_sellers_and_products_are_scored_as_the_company_is(world: None) -> None:
    with connect() as connection:
        found = connection.execute(
            "select distinct forecast_amount_reporting::int from marts_a.forecast_accuracy "
            "where month = '2026-02-01' and lag_months = 0 and level in ('total', 'seller')"
        ).fetchall()
    assert found == [(160,)]
