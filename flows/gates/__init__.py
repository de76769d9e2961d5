"""Great Expectations judges a promotion; failing rows go to quarantine with their document."""

from flows.gates.context import preload
from flows.gates.judging import judge
from flows.gates.passed import require_passed
from flows.gates.report import headline, markdown
from flows.gates.verdict import Finding, Held, Result, Thresholds, Verdict

__all__ = [
    "Finding",
    "Held",
    "Result",
    "Thresholds",
    "Verdict",
    "headline",
    "judge",
    "markdown",
    "preload",
    "require_passed",
]
