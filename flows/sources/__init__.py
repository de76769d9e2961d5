"""Where rows come from: the contract every system fulfils, and one folder per system."""

from flows.core.errors import ConcordError, ConnectionsError
from flows.sources.connections import ConnectionConfig
from flows.sources.contract import Source
from flows.sources.report import CheckReport, Finding
from flows.sources.windows import WindowSource


def open_source(config: ConnectionConfig) -> Source | WindowSource:
    """Open a configured system; a mapping is checked against its files and its SQL compiled.

    Raises ConnectionsError for an unknown system, MappingError or SourceFileError when what is
    configured is not there or does not fit.
    """
    if config.system == "files":
        from flows.sources.files.source import FilesSource  # noqa: PLC0415 - only files need it

        return FilesSource(config)
    if config.system == "salesforce":
        from flows.sources.salesforce.source import open_salesforce  # noqa: PLC0415 - as above

        return open_salesforce(config)
    if config.system == "business_central":
        from flows.sources.business_central.source import (  # noqa: PLC0415 - as above
            open_business_central,
        )

        return open_business_central(config)
    raise ConnectionsError(
        f"Connection {config.name!r} has the unknown system {config.system!r}; "
        "use 'business_central', 'files' or 'salesforce'."
    )


def check_source(config: ConnectionConfig) -> CheckReport:
    """Say what works at a connection, which permission is missing and what a run costs in calls."""
    if config.system == "salesforce":
        from flows.sources.salesforce.check import check as check_salesforce  # noqa: PLC0415 - as above

        return check_salesforce(config)
    if config.system == "business_central":
        from flows.sources.business_central.check import (  # noqa: PLC0415 - as above
            check as check_business_central,
        )

        return check_business_central(config)
    try:
        found = open_source(config).objects()
    except ConcordError as error:
        return CheckReport(config.name, [Finding("objects", is_good=False, detail=str(error))])
    names = ", ".join(one.name for one in found)
    return CheckReport(config.name, [Finding("objects", is_good=True, detail=names)])
