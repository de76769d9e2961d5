"""What works at a Business Central connection, which permission is missing, what a run costs."""

from collections.abc import Iterator

from flows.core.errors import NotPermittedError
from flows.sources.business_central.api import BusinessCentralApi
from flows.sources.business_central.objects import EXPANDED
from flows.sources.business_central.opening import COMPANIES_AT_ONCE
from flows.sources.business_central.source import BusinessCentralSource, open_business_central
from flows.sources.checking import FAULTS, HASTY, checked, concluded, failed
from flows.sources.connections import ConnectionConfig
from flows.sources.http import Patience
from flows.sources.report import CheckReport, Finding
from flows.sources.windows import WindowObject

# Signing in asks twice; then come $metadata and the companies.
CALLS_BEFORE = 4


def check(config: ConnectionConfig, patience: Patience = HASTY) -> CheckReport:
    """Sign in, look at every set that would be read and count its rows; nothing is landed."""
    return checked(
        config,
        lambda: open_business_central(config, patience),
        lambda source: _Checking(source, config.name).report(),
    )


class _Checking:
    """One check under way."""

    def __init__(self, source: BusinessCentralSource, name: str) -> None:
        self._source = source
        self._api: BusinessCentralApi = source.api
        self._name = name
        self._quiet = CALLS_BEFORE
        self._full = CALLS_BEFORE

    def report(self) -> CheckReport:
        try:
            names = ", ".join(one.name for one in self._api.companies)
            _ = self._api.metadata
        except FAULTS as error:
            return failed(self._name, "sign in", error)
        findings = [
            Finding("sign in", is_good=True, detail="works"),
            Finding("companies", is_good=True, detail=names),
        ]
        for target in self._source.objects():
            findings += self._object(target)
        meter = self._api.client.meter
        return concluded(self._name, findings, meter, quiet=self._quiet, full=self._full)

    def _object(self, target: WindowObject) -> Iterator[Finding]:
        try:
            fields = self._source.fields(target.name)
            rows = self._api.count(target.name) if fields else 0
        except FAULTS as error:
            word = "may not be read" if isinstance(error, NotPermittedError) else "fails"
            yield Finding(target.name, is_good=False, detail=f"{word}: {error}")
            return
        if not fields:
            yield Finding(target.name, is_good=True, detail="not there, or the app may not read it")
        elif hidden := sorted(target.needed - set(fields)):
            detail = f"give the app's permission set the fields {', '.join(hidden)}"
            yield Finding(target.name, is_good=False, detail=detail)
        else:
            self._cost(target.name, rows)
            detail = f"{rows:,} rows, {len(fields)} fields"
            yield Finding(target.name, is_good=True, detail=detail)

    def _cost(self, name: str, rows: int) -> None:
        """Add what a run asks for: a quiet one begins and ends with one call for many companies."""
        companies = len(self._api.companies)
        size = self._api.options.rows_a_page(with_lines=name in EXPANDED)
        self._quiet += -(-companies // COMPANIES_AT_ONCE)
        self._full += companies * 2 + rows // size + 1
