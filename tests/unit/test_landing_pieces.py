"""Drift, grouping, reading ahead and the report, each without a database."""

import threading
from collections.abc import Iterator

import pytest

from flows.landing import ColumnDrift, LandedBatch, report
from flows.landing.ahead import read_ahead
from flows.landing.drift import carried_types, drift
from flows.landing.grouping import LARGEST_TRY, grouped
from flows.landing.sample import SAMPLE_LINES, Sample
from flows.sources.contract import Lines, Reject


def test_the_first_batch_names_columns_that_the_model_does_not_know() -> None:
    found = drift(("a", "b"), {}, None, frozenset({"a"}))
    assert [(one.column, one.change) for one in found] == [("b", "unknown")]
    assert drift(("a", "b"), {}, None, None) == ()


@pytest.mark.parametrize(
    ("before", "now", "is_retyped"),
    [
        ({"number"}, {"number"}, False),
        ({"number"}, {"number", "text"}, True),
        ({"number", "text"}, {"number"}, False),
        ({"text"}, {"date"}, False),
        ({"date"}, set(), False),
        (set(), {"date"}, False),
    ],
)
def test_a_column_is_retyped_when_it_takes_values_it_never_took(
    before: set[str], now: set[str], *, is_retyped: bool
) -> None:
    found = drift(("a",), {"a": now}, (("a",), {"a": before}), None)
    assert [one.change for one in found] == ["retyped"] * is_retyped


def test_a_batch_without_values_of_a_column_hands_on_its_earlier_type() -> None:
    assert carried_types({"a": set()}, (("a",), {"a": {"date"}})) == {"a": {"date"}}


def test_the_sample_sees_the_first_and_the_last_lines() -> None:
    sample = Sample()
    middle = b'{"m": 1}\n' * (3 * SAMPLE_LINES)
    sample.see(Lines(b'{"first": "2026-11-23"}\n' + middle + b'{"last": true}', 1))
    sample.finish()
    assert sample.types == {"first": {"date"}, "m": {"number"}, "last": {"boolean"}}


def test_neighbours_of_one_trust_are_written_together_up_to_a_bound() -> None:
    half = b"x" * (LARGEST_TRY // 2)
    chunks = [
        *(Lines(half, n, "likely") for n in range(4)),
        Reject(5, "bad", b""),
        Lines(b"", 6, "doubtful"),
    ]
    found = [(group.trust, len(list(group.chunks))) for group in grouped(chunks)]
    assert [trust for trust, _ in found] == ["likely", "likely", "likely", None, "doubtful"]
    assert sum(count for _, count in found) == len(chunks)


def test_reading_ahead_passes_items_and_errors_on_in_order() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("broken")

    with read_ahead(items()) as ahead:
        assert [next(ahead), next(ahead)] == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            next(ahead)


def test_reading_ahead_stops_when_nobody_reads_on() -> None:
    before = set(threading.enumerate())
    with read_ahead(iter(range(10**9))) as ahead:
        assert next(ahead) == 0
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before


def test_the_report_says_what_landed_what_was_refused_and_where_rejects_are() -> None:
    batches = [
        LandedBatch(7, "erp", "orders", "orders.csv", 3, 2, 1, (ColumnDrift("size", "new"),)),
        LandedBatch(8, "erp", "payments", "payments.csv", refusal="The file is empty."),
        LandedBatch(5, "erp", "returns", "returns.csv", unchanged=True),
    ]
    lines = [report.line(batch) for batch in batches]
    assert lines[0] == (
        "erp.orders (orders.csv): batch 7, 2 of 3 rows landed, 1 rejected; columns: new size"
    )
    assert lines[1] == "erp.payments (payments.csv): refused. The file is empty."
    assert lines[2] == "erp.returns (returns.csv): unchanged since batch 5"
    shown = report.markdown("erp", batches)
    assert "| orders | orders.csv | 7 | 3 | 2 | 1 | new size | landed |" in shown
    assert "from ops.rejects where batch_id in (7)" in shown
    assert "* **payments.csv**: The file is empty." in shown
