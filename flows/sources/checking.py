"""What every check of a system behind an API does: open, look, add up, close."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from flows.core.errors import ConnectionsError, SourceRefusedError, SourceUnavailableError
from flows.sources.connections import ConnectionConfig
from flows.sources.http import Meter, Patience
from flows.sources.report import CheckReport, Finding

FAULTS = (SourceRefusedError, SourceUnavailableError, ConnectionsError)
HASTY = Patience(attempts=2)


class Closing(Protocol):
    """Whatever was opened for the check."""

    def close(self) -> None:
        """Let go of it."""


Opened = TypeVar("Opened", bound=Closing)


def checked(
    config: ConnectionConfig,
    opened: Callable[[], Opened],
    report: Callable[[Opened], CheckReport],
) -> CheckReport:
    """Report on what was opened and close it; options that make no sense are a finding too."""
    try:
        source = opened()
    except ConnectionsError as error:
        return failed(config.name, "options", error)
    try:
        return report(source)
    finally:
        source.close()


def failed(name: str, subject: str, error: Exception) -> CheckReport:
    """Return the report of a check that could not go on."""
    return CheckReport(name, [Finding(subject, is_good=False, detail=str(error))])


def concluded(
    name: str, findings: Iterable[Finding], meter: Meter, *, quiet: int, full: int
) -> CheckReport:
    """Return the report with the calls that runs would make, and what the check itself made."""
    return CheckReport(
        name,
        list(findings),
        calls_of_a_quiet_run=quiet,
        calls_of_a_full_run=full,
        quota_used=meter.used if meter.limit else None,
        quota_limit=meter.limit,
        calls_of_this_check=meter.calls,
    )
