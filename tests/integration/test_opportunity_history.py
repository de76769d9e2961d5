"""Every version of an opportunity is kept, and what was known at any time can be asked for."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from flows.core.dbt import run_dbt
from tests.fixtures.postgres import forget_settings, new_database
from tests.fixtures.raw import RawWarehouse
from tests.fixtures.seeds import seed

MODELS = (
    "incoming_opportunities",
    "incoming_opportunity_lines",
    "stg_deletes",
    "stg_opportunities",
    "stg_opportunity_versions",
    "stg_opportunity_line_versions",
    "opportunity_history",
)
HELD = (
    "select amount::int, is_deleted, to_char(held_from at time zone 'UTC', 'MM-DD'), "
    "to_char(held_to at time zone 'UTC', 'MM-DD') "
    "from marts_a.opportunity_history where opportunity_id = %s order by held_from, raw_id"
)
KNOWN_ON = (
    "select amount::int from marts_a.opportunity_history where opportunity_id = %s "
    "and not is_deleted and held_from <= %s and coalesce(held_to, 'infinity') > %s"
)


@pytest.fixture(scope="module")
def raw(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RawWarehouse]:
    """One warehouse for all tests; each has an opportunity of its own."""
    with new_database(postgres_server, migrated_template) as url, pytest.MonkeyPatch.context() as m:
        m.setenv("CONCORD_WAREHOUSE_URL", url)
        m.setenv("CONCORD_HOME", str(tmp_path_factory.mktemp("history")))
        forget_settings()
        prepared = RawWarehouse(url)
        seed()
        prepared.prepare("opportunities", "opportunity_lines")
        run_dbt(["run", "--selector", "incoming"])
        yield prepared
    forget_settings()


def offer(key: str, amount: int, modified: str | None) -> dict[str, Any]:
    return {"opportunity_id": key, "amount": amount, "currency": "EUR", "modified_at": modified}


def land(raw: RawWarehouse, *rows: dict[str, Any], **more: Any) -> int:
    return raw.land("opportunities", rows, connection="crm", **more)


def stage(raw: RawWarehouse, *, full: bool = False) -> None:
    raw.run_number()
    run_dbt(["run", "--select", *MODELS], slot="a", full=full)
    raw.mark_staged()


def held(raw: RawWarehouse, key: str) -> list[tuple[object, ...]]:
    return raw.rows(HELD, (key,))


def known_on(raw: RawWarehouse, key: str, day: date) -> list[tuple[object, ...]]:
    return raw.rows(KNOWN_ON, (key, day, day))


def test_a_version_holds_until_the_next_one_and_a_late_one_finds_its_place(
    raw: RawWarehouse,
) -> None:
    land(raw, offer("A", 100, "2026-01-05"), offer("A", 300, "2026-03-05"))
    stage(raw)
    assert held(raw, "A") == [(100, False, "01-05", "03-05"), (300, False, "03-05", None)]
    land(raw, offer("A", 200, "2026-02-05"))
    stage(raw)

    assert held(raw, "A") == [
        (100, False, "01-05", "02-05"),
        (200, False, "02-05", "03-05"),
        (300, False, "03-05", None),
    ]
    assert raw.rows("select amount::int from staging.opportunities where opportunity_id = 'A'") == [
        (300,)
    ]
    assert known_on(raw, "A", date(2026, 1, 4)) == []
    assert known_on(raw, "A", date(2026, 2, 6)) == [(200,)]


def test_a_deleted_opportunity_is_gone_until_it_is_added_again(raw: RawWarehouse) -> None:
    land(raw, offer("B", 100, "2026-01-05"))
    land(raw, {"opportunity_id": "B", "modified_at": "2026-02-05"}, operation="delete")
    land(raw, {**offer("B", 300, "2026-03-05"), "is_deleted": False})
    stage(raw)

    assert held(raw, "B") == [
        (100, False, "01-05", "02-05"),
        (None, True, "02-05", "03-05"),
        (300, False, "03-05", None),
    ]
    assert known_on(raw, "B", date(2026, 1, 6)) == [(100,)]
    assert known_on(raw, "B", date(2026, 2, 6)) == []
    assert known_on(raw, "B", date(2026, 3, 6)) == [(300,)]


def test_what_comes_after_an_untimed_delete_is_there_again_however_old_it_says_it_is(
    raw: RawWarehouse,
) -> None:
    land(raw, offer("C", 100, "2026-01-05"))
    land(raw, {"opportunity_id": "C"}, operation="delete")
    stage(raw)
    assert known_on(raw, "C", date(2027, 1, 1)) == []
    land(raw, offer("C", 100, "2026-01-05"))
    stage(raw)

    assert known_on(raw, "C", date(2027, 1, 1)) == [(100,)]
    assert raw.rows("select is_deleted from staging.opportunities where opportunity_id = 'C'") == [
        (False,)
    ]


def test_history_is_the_same_when_it_is_made_anew_from_raw(raw: RawWarehouse) -> None:
    land(raw, offer("D", 100, "2026-01-05"))
    stage(raw)
    land(raw, offer("D", 200, "2026-02-05"))
    refused = land(raw, offer("D", 999, "2026-02-06"))
    raw.hold("opportunities", refused)
    stage(raw)
    land(raw, {"opportunity_id": "D", "modified_at": "2026-03-05"}, operation="delete")
    stage(raw)
    before = held(raw, "D")
    stage(raw, full=True)

    assert held(raw, "D") == before
    assert [amount for amount, *_ in before] == [100, 200, None]
