"""What a check of a connection found, for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that works, or does not, and what to do about it."""

    subject: str
    is_good: bool
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """What works at a connection, which permission is missing, and what a run costs in calls."""

    connection: str
    findings: Sequence[Finding] = ()
    calls_of_a_quiet_run: int | None = None
    calls_of_a_full_run: int | None = None
    quota_used: int | None = None
    quota_limit: int | None = None
    calls_of_this_check: int = field(default=0)

    @property
    def is_good(self) -> bool:
        """Whether everything that is needed works."""
        return all(finding.is_good for finding in self.findings)

    def lines(self) -> list[str]:
        """Say all of it, a line each."""
        marks = {True: "ok  ", False: "FAIL"}
        found = [f"{marks[one.is_good]} {one.subject}: {one.detail}" for one in self.findings]
        if self.calls_of_a_quiet_run is not None:
            found.append(f"     a run without news makes about {self.calls_of_a_quiet_run} calls")
        if self.calls_of_a_full_run is not None:
            found.append(f"     a full run makes about {self.calls_of_a_full_run} calls")
        if self.quota_limit is not None:
            found.append(f"     {self.quota_used:,} of {self.quota_limit:,} calls of the day used")
        return found
