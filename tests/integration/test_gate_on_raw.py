"""The first gate, on real tables: what passes, what is held, what stops everything."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.core.settings import Settings, settings
from flows.core.warehouse import connect
from flows.gates import docs, judge, markdown
from tests.fixtures.gates import Row, World, order

UNREADABLE = ("quantity_is_readable",)


@pytest.fixture
def world(warehouse: str) -> World:
    return World()


@pytest.fixture
def own_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the expectations that a test may edit."""
    folder = tmp_path / "expectations"
    shutil.copytree(settings().expectations, folder, ignore=shutil.ignore_patterns("uncommitted"))
    monkeypatch.setattr(Settings, "expectations", property(lambda _: folder))
    return folder


def found(query: str, *values: object) -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(query.encode(), values).fetchall()


def batch(batch_id: int) -> tuple[object, ...]:
    return found(
        "select status, accepted_count, quarantined_count from ops.batches where batch_id = %s",
        batch_id,
    )[0]


def held_keys(status: str = "open") -> list[object]:
    return [
        key
        for (key,) in found(
            "select source_key from quarantine.rows where status = %s order by source_key", status
        )
    ]


def many_orders(count: int, **common: object) -> list[Row]:
    return [row for number in range(count) for row in order(f"O{number:04}", 1, **common)]  # type: ignore[arg-type]


def test_a_clean_batch_passes_and_is_accepted(world: World) -> None:
    first, empty = world.land(3), world.land(0, file="other.csv")
    world.fill(order("O1"))
    verdict = world.judge_raw()
    assert not verdict.is_refused
    assert {result.outcome for result in verdict.results} == {"pass"}
    assert batch(first) == ("accepted", 3, 0)
    assert batch(empty) == ("accepted", 0, 0)
    assert held_keys() == []


def test_a_bad_row_is_held_with_its_whole_document_and_the_rest_goes_on(world: World) -> None:
    world.land(6)
    world.fill([*order("O1", 2, UNREADABLE), *order("O2", 2)])
    verdict = world.judge_raw()
    assert not verdict.is_refused
    assert held_keys() == ["O1", "O1-1", "O1-2"]
    assert batch(1) == ("accepted", 3, 3)
    assert (verdict.held.rows, verdict.held.documents) == (3, 1)
    rules = found("select source_key, rules from quarantine.rows order by source_key")
    assert rules == [("O1", []), ("O1-1", list(UNREADABLE)), ("O1-2", [])]
    payload = found("select payload ->> 'key' from quarantine.rows where source_key = 'O1-2'")
    assert payload == [("O1-2",)]


def test_a_document_that_does_not_add_up_is_held_whole(world: World) -> None:
    world.land(6)
    world.fill([*order("O1"), *order("O2")])
    world.add_document("O1", ["lines_sum_to_header"])
    world.add_document("O2")
    verdict = world.judge_raw()
    assert held_keys() == ["O1", "O1-1", "O1-2"]
    (result,) = verdict.of("quarantine")
    assert (result.rule, result.failed, result.checked) == ("lines_sum_to_header", 1, 2)
    assert found("select source_key, money_at_risk from ops.failures") == [("O1", 100)]


def test_a_row_without_a_key_is_held_by_itself(world: World) -> None:
    world.land(4)
    world.fill([*order("O1"), Row("order_lines", None, None, ("order_id_is_present",))])
    world.judge_raw()
    assert found("select source_key, document_key from quarantine.rows") == [(None, None)]
    assert batch(1) == ("accepted", 3, 1)


def test_too_many_bad_rows_stop_everything_and_change_nothing_else(world: World) -> None:
    world.land(200)
    bad = [row for number in range(30) for row in order(f"B{number}", 1, UNREADABLE)]
    world.fill([*many_orders(70), *bad])
    verdict = world.judge_raw()
    assert verdict.is_refused
    assert "30.0% of the rows fail (30 of 100)" in verdict.reasons[0]
    assert batch(1) == ("refused", None, None)
    assert held_keys() == []
    assert found("select count(*) from ops.failures") == [(30,)]
    assert found("select outcome, failed_count from ops.verdicts where outcome <> 'pass'") == [
        ("block", 30)
    ]


def test_a_warning_is_noted_and_its_rows_go_on(world: World) -> None:
    world.land(2)
    world.fill([Row("orders", "O1", "O1", ("status_is_known",)), Row("orders", "O2", "O2")])
    verdict = world.judge_raw()
    (note,) = verdict.of("note")
    assert (note.rule, note.severity, note.failed) == ("status_is_known", "warning", 1)
    assert held_keys() == []
    assert found("select rule, source_key from ops.failures") == [("status_is_known", "O1")]


def test_a_repaired_document_is_released_and_its_batch_corrected(world: World) -> None:
    world.land(3)
    world.fill(order("O1", 2, UNREADABLE))
    world.judge_raw()
    stage_batches()
    assert batch(1) == ("staged", 0, 3)
    repaired = world.land(1)
    old = {key: world.raw_ids[entity, key] for entity, key in world.raw_ids}
    world.fill(
        [
            Row("orders", "O1", "O1", is_retry=True, raw_id=old["O1"]),
            Row("order_lines", "O1-1", "O1", UNREADABLE, is_retry=True, is_newest=False,
                raw_id=old["O1-1"]),
            Row("order_lines", "O1-2", "O1", is_retry=True, raw_id=old["O1-2"]),
            Row("order_lines", "O1-1", "O1", batch_id=repaired),
        ]
    )  # fmt: skip
    verdict = world.judge_raw()
    assert (verdict.held.released, verdict.held.superseded) == (2, 1)
    assert held_keys("released") == ["O1", "O1-2"]
    assert held_keys("superseded") == ["O1-1"]
    assert held_keys() == []
    assert batch(1) == ("staged", 3, 0)
    assert batch(repaired) == ("accepted", 1, 0)


def test_a_retry_that_staging_has_overtaken_is_closed_although_it_still_fails(
    world: World,
) -> None:
    world.land(1)
    world.fill([Row("customers", "C1", "C1", ("customer_id_is_present",))])
    world.judge_raw()
    stage_batches()
    with connect() as connection:
        connection.execute(
            "create table staging.customers as select 'erp'::text as source_system, "
            "'C1'::text as source_key, now() as modified_at, "
            "9::bigint as batch_id, 9::bigint as raw_id"
        )
    raw_id = world.raw_ids["customers", "C1"]
    world.fill(
        [Row("customers", "C1", "C1", ("customer_id_is_present",), is_retry=True, raw_id=raw_id)]
    )
    verdict = world.judge_raw()
    assert (verdict.held.superseded, verdict.held.rows) == (1, 0)
    assert held_keys("superseded") == ["C1"]
    assert batch(1) == ("staged", 1, 0)


def test_a_retry_that_still_fails_stays_without_a_second_row(world: World) -> None:
    world.land(1)
    world.fill([Row("orders", "O1", "O1", ("currency_is_known",))])
    world.judge_raw()
    raw_id = world.raw_ids["orders", "O1"]
    world.fill(
        [Row("orders", "O1", "O1", ("order_date_is_readable",), is_retry=True, raw_id=raw_id)]
    )
    verdict = world.judge_raw()
    assert found("select status, rules from quarantine.rows") == [
        ("open", ["order_date_is_readable"])
    ]
    assert verdict.results
    assert all(result.outcome == "pass" for result in verdict.results)


def test_every_failing_key_is_recorded_however_many(world: World) -> None:
    world.land(5000)
    world.fill([])
    with connect() as connection:
        connection.execute(
            "insert into incoming.orders select 'erp', 'erp', 'O' || n, 'order', 'O' || n, 1, n, "
            "false, true, array['currency_is_known'], 2.5, 'upsert', null "
            "from generate_series(1, 5000) as n"
        )
    verdict = world.judge_raw()
    (blocking,) = verdict.of("block")
    assert (blocking.failed, blocking.checked, blocking.money) == (5000, 5000, 12500)
    assert found("select count(distinct source_key) from ops.failures") == [(5000,)]
    assert blocking.query is not None
    assert len(found(blocking.query)) == 5000


def test_money_at_risk_stops_where_the_suite_says_so(world: World, own_suites: Path) -> None:
    suite = own_suites / "suites" / "raw__documents.json"
    text = suite.read_text("utf-8")
    suite.write_text(text.replace('"money": null', '"money": 1000'), encoding="utf-8")
    world.land(1)
    world.fill([])
    world.add_document("O1", ["lines_sum_to_header"], money=1000)
    assert not world.judge_raw().is_refused
    world.add_document("O2", ["lines_sum_to_header"], money=1)
    verdict = world.judge_raw()
    assert verdict.is_refused
    assert "1,001.00 is at risk, more than 1,000.00" in verdict.reasons[0]


def test_many_wrong_totals_stop_everything_unless_the_suite_has_them_held(
    world: World, own_suites: Path
) -> None:
    world.land(80)
    world.fill(many_orders(40))
    for number in range(40):
        world.add_document(f"O{number:04}", ["lines_sum_to_header"] if number < 30 else [])
    assert world.judge_raw().is_refused
    suite = own_suites / "suites" / "raw__documents.json"
    text = suite.read_text("utf-8")
    suite.write_text(text.replace('"share": 0.01', '"share": null'), encoding="utf-8")
    assert not world.judge_raw().is_refused
    assert batch(1) == ("accepted", 20, 60)
    assert {str(key)[:5] for key in held_keys()} == {f"O{number:04}" for number in range(30)}


def test_a_rule_that_no_suite_describes_is_judged_as_critical(world: World) -> None:
    world.land(1)
    world.fill([Row("orders", "O1", "O1", ("stars_are_aligned",))])
    verdict = world.judge_raw()
    assert [result.rule for result in verdict.of("quarantine")] == ["stars_are_aligned"]
    assert held_keys() == ["O1"]


def test_a_file_with_many_rejected_rows_is_refused_until_it_is_landed_again(world: World) -> None:
    world.land(100, rejected=30)
    world.fill([])
    refused = world.judge_raw()
    assert [result.rule for result in refused.of("block")] == ["few_rows_are_rejected"]
    world.land(130)
    assert not world.judge_raw().is_refused
    assert batch(1) == ("accepted", 100, 0)


def test_judging_a_run_again_changes_nothing(world: World) -> None:
    world.land(6)
    world.fill([*order("O1", 2, UNREADABLE), *order("O2", 2)])
    run_id = world.start_run()
    first = judge("raw", run_id=run_id)
    rows = found("select * from quarantine.rows order by 1")
    counts = found("select count(*) from ops.verdicts"), found("select count(*) from ops.failures")
    second = judge("raw", run_id=run_id)
    assert found("select * from quarantine.rows order by 1") == rows
    assert (
        found("select count(*) from ops.verdicts"),
        found("select count(*) from ops.failures"),
    ) == counts
    assert (first.results, first.held) == (second.results, second.held)


def test_a_batch_refused_before_passes_once_its_rows_are_replaced(world: World) -> None:
    world.land(60)
    bad = [Row("orders", f"O{n}", f"O{n}", ("currency_is_known",)) for n in range(60)]
    world.fill(bad)
    assert world.judge_raw().is_refused
    second = world.land(60)
    world.fill(
        [
            *(Row("orders", f"O{n}", f"O{n}", ("currency_is_known",), is_newest=False)
              for n in range(60)),
            *(Row("orders", f"O{n}", f"O{n}", batch_id=second) for n in range(60)),
        ]
    )  # fmt: skip
    assert not world.judge_raw().is_refused
    assert batch(1) == ("accepted", 60, 0)
    assert batch(second) == ("accepted", 60, 0)


def test_the_report_says_what_failed_how_much_and_what_to_do(world: World) -> None:
    world.land(200)
    bad = [row for number in range(30) for row in order(f"B{number}", 1, UNREADABLE)]
    world.fill([*many_orders(70), *bad])
    page = markdown(world.judge_raw(), data_docs="http://docs.example")
    for expected in (
        "# Refused",
        "30 of 100 rows (30.0%), 300.00 at risk",
        "`erp: B0-1`",
        "What to do",
        'from "incoming"."order_lines" as subselect',
        "http://docs.example",
    ):
        assert expected in page
    assert page.count("`erp: B") <= 10
    assert "jane@example.org" not in page


def test_data_docs_are_read_without_the_web(world: World) -> None:
    world.land(2)
    world.fill([*order("O1", 1), *order("O2", 1)])
    world.judge_raw()
    first = docs.build()
    for page in (first, *first.parent.rglob("raw__orders*.html")):
        text = page.read_text(encoding="utf-8")
        assert "https://" not in "".join(re.findall(r"<(?:link|script)[^>]*>", text))
        assert "<style>" in text
    assert "raw__order_lines" in first.read_text(encoding="utf-8")


def test_no_payload_reaches_the_stored_results_and_no_committed_file_changes(
    world: World,
) -> None:
    folder = settings().expectations
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    world.land(6)
    world.fill([*order("O1", 2, UNREADABLE), *order("O2", 2)])
    world.judge_raw()
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before
    stored = list((settings().home / "gates" / "results").rglob("*.json"))
    assert stored
    assert not any("example.org" in path.read_text("utf-8") for path in stored)


def test_the_context_opens_with_nothing_but_an_environment_variable(
    warehouse: str, tmp_path: Path
) -> None:
    program = (
        "import great_expectations as gx\n"
        f"folder = {str(settings().expectations)!r}\n"
        "context = gx.get_context(mode='file', context_root_dir=folder)\n"
        "names = [v.name for v in context.checkpoints.get('raw').validation_definitions]\n"
        "print(len(names), context.data_sources.get('warehouse').get_engine().dialect.driver)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"CONCORD_WAREHOUSE_URL": warehouse, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split() == ["27", "psycopg"]


def stage_batches() -> None:
    with connect() as connection:
        connection.execute("update ops.batches set status = 'staged' where status = 'accepted'")
