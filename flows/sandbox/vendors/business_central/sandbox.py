"""A whole Business Central sandbox: tenant, server and script."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.sandbox.vendors.business_central.importing import import_prices
from flows.sandbox.vendors.business_central.loading import Story
from flows.sandbox.vendors.business_central.posting import return_goods, ship_and_invoice
from flows.sandbox.vendors.business_central.schema import Property
from flows.sandbox.vendors.business_central.server import API, application
from flows.sandbox.vendors.business_central.sessions import SCOPE, Sessions
from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.business_central.volume import fill
from flows.sandbox.vendors.shared import serving
from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.company import Company, last_change
from flows.sandbox.vendors.shared.gate import Gate
from flows.sandbox.vendors.shared.named_faults import BUSINESS_CENTRAL
from flows.sandbox.vendors.shared.script import Script, add_control


class BusinessCentralScript(Script):
    """What can be done to a tenant beside what can be done to every server."""

    named = BUSINESS_CENTRAL

    def __init__(self, gate: Gate, tenant: Tenant, sessions: Sessions, story: Story | None) -> None:
        super().__init__(gate, tenant.clock, tenant.rules, tenant.quota)
        self._tenant = tenant
        self._sessions = sessions
        self._story = story

    def play_day(self) -> int:
        """Let the next day of business happen."""
        if self._story is None:
            raise LookupError("This tenant has no company.")
        return self._story.play_day()

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what a correct reader has in the end, by company/set and id."""
        return self._tenant.truth()

    def save(  # noqa: PLR0913 - all by name
        self,
        company: str,
        table: str,
        key: str,
        values: dict[str, Any],
        *,
        stamp: str | None = None,
        visible_after_seconds: float = 0.0,
    ) -> None:
        """Create or change a record, perhaps in a transaction that ends only later."""
        stamped = datetime.fromisoformat(stamp) if stamp else None
        when = self._tenant.clock.now() + timedelta(seconds=visible_after_seconds)
        self._tenant.save(company, table, key, values, stamp=stamped, visible_at=when)

    def delete(self, company: str, table: str, key: str) -> None:
        """Delete a record with its lines."""
        self._tenant.delete(company, table, key)

    def post_order(self, company: str, key: str) -> str:
        """Ship and invoice an order, which then is no order any more; return the invoice's id."""
        return ship_and_invoice(self._tenant, company, key)

    def return_goods(self, company: str, key: str) -> str:
        """Credit the first line of an invoice; return the credit memo's id."""
        return return_goods(self._tenant, company, key)

    def import_prices(self, decimals_lost: int) -> int:
        """Import prices into open orders past every check; return how many lines have them.

        With decimals lost they are too large, and the totals stay; with as many gained they are
        what they were.
        """
        return import_prices(self._tenant, decimals_lost)

    def change_silently(self, company: str, table: str, key: str, values: dict[str, Any]) -> None:
        """Change what a flow field shows, without a stamp."""
        self._tenant.change_silently(company, table, key, values)

    def hide_field(self, table: str, field: str, *, is_hidden: bool = True) -> None:
        """Take the right to see a property away, or give it back."""
        known = self._tenant.hidden_properties
        (known.add if is_hidden else known.discard)((table, field))

    def add_field(self, table: str, name: str, kind: str = "string", length: int = 100) -> None:
        """Add a property, or give one another type."""
        self._tenant.schema.sets[table].properties[name] = Property(name, kind, length)
        self._tenant.listings.clear()

    def remove_field(self, table: str, name: str) -> None:
        """Delete a property."""
        del self._tenant.schema.sets[table].properties[name]
        self._tenant.listings.clear()

    def ignore_filters(self, *, is_ignoring: bool = True) -> None:
        """Pass over every $filter in silence, as the vendor does with those over lines."""
        self._tenant.ignores_filters = is_ignoring

    def lag_replica(self) -> None:
        """Let readers of the replica see nothing newer than what is there now."""
        self._tenant.lag_replica()

    def catch_up_replica(self) -> None:
        """Let readers of the replica see everything again."""
        self._tenant.replica = None

    def expire_tokens(self) -> None:
        """End every session."""
        self._sessions.expire()


@dataclass
class BusinessCentralSandbox:
    """A tenant that is being served."""

    url: str
    tenant: Tenant
    sessions: Sessions
    gate: Gate
    script: BusinessCentralScript

    @property
    def credentials(self) -> Mapping[str, str]:
        """What a client needs to log in and to find the API."""
        app = self.sessions.app
        tenant = self.tenant
        return {
            "token_url": f"{self.url}/{tenant.name}/oauth2/v2.0/token",
            "api_url": f"{self.url}/v2.0/{tenant.name}/{tenant.environment}{API}",
            "tenant": tenant.name,
            "environment": tenant.environment,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "scope": SCOPE,
        }


@contextmanager
def served(
    company: Company | None = None, *, port: int = 0, customers: int = 0
) -> Iterator[BusinessCentralSandbox]:
    """Serve a tenant while the block lasts: the company's, or so many customers."""
    clock = Clock(last_change(company, "erp") + timedelta(minutes=5) if company else None)
    tenant = Tenant(clock)
    sessions = Sessions(clock)
    story = Story(tenant, company) if company else None
    fill(tenant, customers)
    app = application(tenant, sessions)
    gate = Gate(app, clock)
    script = BusinessCentralScript(gate, tenant, sessions, story)
    add_control(app, script)
    with serving.running(gate, serving.bound(port)) as url:
        yield BusinessCentralSandbox(url, tenant, sessions, gate, script)
