"""What works at a Salesforce connection, which permission is missing, and what a run costs."""

from collections.abc import Iterator

from flows.core.errors import NotPermittedError
from flows.sources.checking import FAULTS, HASTY, checked, concluded, failed
from flows.sources.connections import ConnectionConfig
from flows.sources.http import Patience
from flows.sources.report import CheckReport, Finding
from flows.sources.salesforce.api import Described, SalesforceApi
from flows.sources.salesforce.bulk import ROWS_A_PAGE
from flows.sources.salesforce.objects import NEVER_DELETED
from flows.sources.salesforce.source import SalesforceSource, open_salesforce
from flows.sources.salesforce.walk import ROWS_A_CALL
from flows.sources.windows import WindowObject

# Sign-in, descriptions, and what a full run asks per object besides its rows.
CALLS_BEFORE, CALLS_AROUND, CALLS_OF_A_JOB = 2, 4, 5


def check(config: ConnectionConfig, patience: Patience = HASTY) -> CheckReport:
    """Sign in, look at every object that would be read and count its rows; nothing is landed."""
    return checked(
        config,
        lambda: open_salesforce(config, patience),
        lambda source: _Checking(source, config.name).report(),
    )


class _Checking:
    """One check under way."""

    def __init__(self, source: SalesforceSource, name: str) -> None:
        self._source = source
        self._api: SalesforceApi = source.api
        self._name = name
        self._quiet = CALLS_BEFORE
        self._full = CALLS_BEFORE

    def report(self) -> CheckReport:
        try:
            targets = self._source.objects()
        except FAULTS as error:
            return failed(self._name, "sign in", error)
        findings = [Finding("sign in", True, "works")]  # noqa: FBT003
        for target in targets:
            findings += self._object(target)
        meter = self._api.client.meter
        return concluded(self._name, findings, meter, quiet=self._quiet, full=self._full)

    def _object(self, target: WindowObject) -> Iterator[Finding]:
        described = self._source.described(target.name)
        if described is None:
            is_wanted = target.name in self._api.options.extra_objects
            detail = "not there, or the user may not read it"
            yield Finding(target.name, not is_wanted, detail)
            return
        if hidden := sorted(target.needed - set(described.fields)):
            detail = f"grant the user the fields {', '.join(hidden)}"
            yield Finding(target.name, is_good=False, detail=detail)
            return
        yield self._counted(described)

    def _counted(self, described: Described) -> Finding:
        name = described.name
        try:
            rows = self._api.count(name)
        except FAULTS as error:
            word = "may not be queried" if isinstance(error, NotPermittedError) else "fails"
            return Finding(name, is_good=False, detail=f"{word}: {error}")
        is_bulk = rows >= self._api.options.bulk_from
        pages = rows // (ROWS_A_PAGE if is_bulk else ROWS_A_CALL) + 1
        self._full += CALLS_AROUND + pages + (CALLS_OF_A_JOB if is_bulk else 0)
        self._quiet += 1 if name in NEVER_DELETED else 2
        way = "Bulk API 2.0" if is_bulk else "REST"
        detail = f"{rows:,} rows, {len(described.fields)} fields, by {way}"
        return Finding(name, is_good=True, detail=detail)
