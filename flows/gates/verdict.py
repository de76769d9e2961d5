"""What a gate concludes: the policy that turns counts and money into an outcome, and its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, cast

Severity = Literal["critical", "warning", "info"]
Outcome = Literal["pass", "note", "quarantine", "block"]
DEFAULT_FLOOR = 20
DEFAULT_SHARE = 0.01


@dataclass(frozen=True)
class Thresholds:
    """Above which count, share or money failing rows stop a promotion; null never does.

    A share counts only for more than `floor` rows, so that small batches are not stopped by one.
    """

    count: int | None = None
    share: float | None = None
    money: Decimal | None = None
    floor: int = 0

    @classmethod
    def of(cls, meta: Mapping[str, object]) -> "Thresholds | None":
        """Read the thresholds of an expectation; None when it has none and any failure stops."""
        limits = cast("Mapping[str, object] | None", meta.get("block_above"))
        if limits is None:
            return None
        count, share, money = (limits.get(name) for name in ("count", "share", "money"))
        return cls(
            count=None if count is None else int(str(count)),
            share=None if share is None else float(str(share)),
            money=None if money is None else Decimal(str(money)),
            floor=int(str(meta.get("floor", 0))),
        )

    def exceeded_by(self, failed: int, checked: int, money: Decimal) -> str | None:
        """Say which threshold the failing rows exceed, or None."""
        if self.count is not None and failed > self.count:
            return f"{failed:,} rows fail, more than {self.count:,}"
        if self.money is not None and money > self.money:
            return f"{money:,.2f} is at risk, more than {self.money:,.2f}"
        share = failed / checked if checked else 1.0
        if self.share is not None and failed > self.floor and share > self.share:
            return (
                f"{share:.1%} of the rows fail ({failed:,} of {checked:,}), "
                f"more than {self.share:.1%}"
            )
        return None


DEFAULT = Thresholds(share=DEFAULT_SHARE, floor=DEFAULT_FLOOR)


@dataclass(frozen=True)
class Finding:
    """What one expectation found, before the policy is applied."""

    suite: str
    rule: str
    expectation: str
    severity: Severity
    is_success: bool
    failed: int = 0
    checked: int = 0
    money: Decimal = Decimal(0)
    observed: str = ""
    error: str | None = None
    description: str = ""
    advice: str = ""
    query: str | None = None
    quick_query: str | None = None
    is_row_rule: bool = False
    thresholds: Thresholds | None = None
    key: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One expectation's finding and what follows from it."""

    finding: Finding
    outcome: Outcome
    reason: str

    @property
    def suite(self) -> str:
        """The suite that the expectation belongs to."""
        return self.finding.suite

    @property
    def rule(self) -> str:
        """The rule that was judged."""
        return self.finding.rule

    @property
    def severity(self) -> Severity:
        """How bad a failure is."""
        return self.finding.severity

    @property
    def failed(self) -> int:
        """How many rows break the rule."""
        return self.finding.failed

    @property
    def checked(self) -> int:
        """How many rows were judged."""
        return self.finding.checked

    @property
    def share(self) -> float:
        """Which part of the judged rows fails."""
        return self.failed / self.checked if self.checked else float(bool(self.failed))

    @property
    def money(self) -> Decimal:
        """The amounts on the failing rows."""
        return self.finding.money

    @property
    def query(self) -> str | None:
        """The query that lists every failing key."""
        return self.finding.query

    @property
    def quick_query(self) -> str | None:
        """The query that lists the same keys while the gate is judging, from fewer rows."""
        return self.finding.quick_query or self.finding.query

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.finding.advice


@dataclass(frozen=True)
class Held:
    """What a passing gate did with rows: held back, let go, or found overtaken by newer ones."""

    rows: int = 0
    documents: int = 0
    released: int = 0
    superseded: int = 0
    batches: int = 0


@dataclass(frozen=True)
class Verdict:
    """What the gate decided about one promotion in one run."""

    promotion: str
    run_id: int
    slot: str | None
    results: tuple[Result, ...]
    held: Held = field(default_factory=Held)
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Whether the promotion must not happen."""
        return any(result.outcome == "block" for result in self.results)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the promotion was refused, one sentence per blocking rule."""
        blocking = (result for result in self.results if result.outcome == "block")
        return tuple(f"{result.suite}, {result.rule}: {result.reason}." for result in blocking)

    def of(self, outcome: Outcome) -> tuple[Result, ...]:
        """Return the results with one outcome."""
        return tuple(result for result in self.results if result.outcome == outcome)


def decide(finding: Finding) -> Result:
    """Apply the policy: what cannot be judged or exceeds a threshold blocks, warnings note."""
    if finding.error:
        return Result(finding, "block", f"it could not be judged ({finding.error})")
    if finding.is_success:
        return Result(finding, "pass", "")
    if finding.severity != "critical":
        return Result(finding, "note", _told(finding))
    return _decide_on_critical(finding)


def _decide_on_critical(finding: Finding) -> Result:
    if finding.thresholds is None:
        return Result(finding, "block", _told(finding))
    money = finding.money
    exceeded = finding.thresholds.exceeded_by(finding.failed, finding.checked, money)
    if exceeded:
        return Result(finding, "block", exceeded)
    return Result(finding, "quarantine" if finding.is_row_rule else "note", _told(finding))


def _told(finding: Finding) -> str:
    if finding.failed:
        return f"{finding.failed:,} of {finding.checked:,} rows fail"
    return f"found {finding.observed}" if finding.observed else "it does not hold"
