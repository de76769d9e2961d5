"""Great Expectations judges a promotion; failing rows go to quarantine with their document."""

from flows.gates.courtroom import Courtroom, begin_to_load
from flows.gates.docs import index_page as data_docs_page
from flows.gates.judging import judge
from flows.gates.passed import last_passed, require_passed
from flows.gates.report import headline, markdown
from flows.gates.verdict import Finding, Held, Result, Thresholds, Verdict

__all__ = [
    "Courtroom",
    "Finding",
    "Held",
    "Result",
    "Thresholds",
    "Verdict",
    "begin_to_load",
    "data_docs_page",
    "headline",
    "judge",
    "last_passed",
    "markdown",
    "require_passed",
]
