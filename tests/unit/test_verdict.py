"""The policy: when failing rows are noted, held back, or stop everything."""

from dataclasses import replace
from decimal import Decimal

import pytest

from flows.gates.report import headline, markdown
from flows.gates.verdict import Finding, Held, Thresholds, Verdict, decide

FINDING = Finding(
    suite="raw__orders",
    rule="currency_is_known",
    expectation="unexpected_rows_expectation",
    severity="critical",
    is_success=False,
    failed=5,
    checked=1000,
    money=Decimal(500),
    is_row_rule=True,
    thresholds=Thresholds(share=0.01, floor=20),
)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "quarantine"),
        ({"is_success": True, "failed": 0}, "pass"),
        ({"severity": "warning", "failed": 900}, "note"),
        ({"failed": 20, "checked": 20}, "quarantine"),
        ({"failed": 21, "checked": 21}, "block"),
        ({"failed": 21, "checked": 2100}, "quarantine"),
        ({"failed": 22, "checked": 2100}, "block"),
        ({"thresholds": Thresholds(count=4)}, "block"),
        ({"thresholds": Thresholds(count=5)}, "quarantine"),
        ({"thresholds": Thresholds(money=Decimal(499))}, "block"),
        ({"thresholds": Thresholds(money=Decimal(500))}, "quarantine"),
        ({"thresholds": None}, "block"),
        ({"is_row_rule": False}, "note"),
        ({"error": "relation does not exist", "severity": "warning"}, "block"),
    ],
)
def test_the_outcome_follows_from_severity_count_share_and_money(
    change: dict[str, object], outcome: str
) -> None:
    assert decide(replace(FINDING, **change)).outcome == outcome  # type: ignore[arg-type]


def test_thresholds_are_read_as_people_write_them() -> None:
    meta = {"block_above": {"count": None, "share": 0.02, "money": 1000.5}, "floor": 3}
    assert Thresholds.of(meta) == Thresholds(None, 0.02, Decimal("1000.5"), 3)
    assert Thresholds.of({"rule": "a rule without limits"}) is None


def test_one_blocking_rule_refuses_the_whole_promotion() -> None:
    blocking = decide(replace(FINDING, failed=300))
    verdict = Verdict("raw", 7, None, (decide(FINDING), blocking))
    assert verdict.is_refused
    assert verdict.reasons == (
        "raw__orders, currency_is_known: 30.0% of the rows fail (300 of 1,000), more than 1.0%.",
    )
    assert headline(verdict).startswith("The gate on what has landed refused run 7: raw__orders")


def test_a_pass_with_held_documents_says_how_many() -> None:
    verdict = Verdict("raw", 7, None, (decide(FINDING),), Held(rows=12, documents=5))
    assert "5 documents (12 rows) wait in quarantine" in headline(verdict)
    assert "## Held back" in markdown(verdict, data_docs="docs")
