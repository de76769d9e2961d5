"""A whole Salesforce sandbox: org, server and script."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.sandbox.vendors.salesforce.jobs import Ending
from flows.sandbox.vendors.salesforce.loading import Story
from flows.sandbox.vendors.salesforce.org import Org
from flows.sandbox.vendors.salesforce.schema import Field
from flows.sandbox.vendors.salesforce.server import application
from flows.sandbox.vendors.salesforce.sessions import Sessions
from flows.sandbox.vendors.salesforce.volume import fill
from flows.sandbox.vendors.shared import serving
from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.company import Company, last_change
from flows.sandbox.vendors.shared.gate import Gate
from flows.sandbox.vendors.shared.named_faults import SALESFORCE
from flows.sandbox.vendors.shared.script import Script, add_control


class SalesforceScript(Script):
    """What can be done to an org beside what can be done to every server."""

    named = SALESFORCE

    def __init__(self, gate: Gate, org: Org, sessions: Sessions, story: Story | None) -> None:
        super().__init__(gate, org.clock, org.rules, org.quota)
        self._org = org
        self._sessions = sessions
        self._story = story

    def play_day(self) -> int:
        """Let the next day of business happen."""
        if self._story is None:
            raise LookupError("This org has no company.")
        return self._story.play_day()

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what a correct reader has in the end, by object and id."""
        return self._org.truth()

    def save(
        self,
        entity: str,
        key: str,
        values: dict[str, Any],
        stamp: str | None = None,
        visible_after_seconds: float = 0.0,
    ) -> None:
        """Create or change a record, perhaps in a transaction that ends only later."""
        stamped = datetime.fromisoformat(stamp) if stamp else None
        when = self._org.clock.now() + timedelta(seconds=visible_after_seconds)
        self._org.save(entity, key, values, stamp=stamped, visible_at=when)

    def delete(self, entity: str, key: str, *, is_hard: bool = False) -> None:
        """Put a record in the bin, or beyond it."""
        self._org.delete(entity, key, is_hard=is_hard)

    def undelete(self, entity: str, key: str) -> None:
        """Take a record out of the bin."""
        self._org.undelete(entity, key)

    def merge(self, entity: str, master: str, loser: str) -> None:
        """Let one record go into another."""
        self._org.merge(entity, master, loser)

    def change_silently(self, entity: str, key: str, values: dict[str, Any]) -> None:
        """Change what a formula shows, without a stamp."""
        self._org.change_silently(entity, key, values)

    def hide_field(self, entity: str, field: str, *, is_hidden: bool = True) -> None:
        """Take the right to see a field away, or give it back."""
        self._org.schema.changed_at = self._org.clock.stamp()
        known = self._org.schema.hidden
        (known.add if is_hidden else known.discard)((entity, field))

    def add_field(self, entity: str, name: str, kind: str = "string", length: int = 255) -> None:
        """Add a field, or give one another type."""
        self._org.schema.changed_at = self._org.clock.stamp()
        self._org.schema.add_field(entity, Field(name, kind, length))

    def remove_field(self, entity: str, name: str) -> None:
        """Delete a field."""
        self._org.schema.changed_at = self._org.clock.stamp()
        self._org.schema.remove_field(entity, name)

    def add_object(self, name: str) -> None:
        """Make a custom object."""
        self._org.schema.changed_at = self._org.clock.stamp()
        self._org.schema.add_object(name)

    def forget_deletions(self, before: str) -> None:
        """Purge the log of deletions up to a time."""
        until = datetime.fromisoformat(before)
        self._org.retention.purged_until = until
        for name in self._org.store:
            table = self._org.store[name]
            table.deletions[:] = [one for one in table.deletions if one.deleted_at >= until]

    def end_next_job(self, state: str, error: str | None = None) -> None:
        """Let the next Bulk job end as Failed or Aborted, with or without a reason."""
        self._org.jobs.endings.append(Ending(state, error))

    def bulk(self, polls: int | None = None, page_size: int | None = None) -> None:
        """Say after how many polls jobs end, and how many rows a set of results holds."""
        jobs = self._org.jobs
        jobs.polls = jobs.polls if polls is None else polls
        jobs.page_size = page_size or jobs.page_size

    def restrict(self, entity: str, **rights: bool) -> None:
        """Let an object be not is_queryable, not is_replicateable or not is_in_bulk."""
        whole = self._org.schema.whole(entity)
        for name, value in rights.items():
            setattr(whole, name, value)

    def expire_tokens(self) -> None:
        """End every session."""
        self._sessions.expire()

    def expire_cursors(self) -> None:
        """Forget every query that is not read to its end."""
        self._org.cursors.clear()

    def move_host(self, url: str) -> None:
        """Name another instance in the tokens to come."""
        self._sessions.host = url

    def set_limits(self, most_ids: int | None = None, query_jobs: int | None = None) -> None:
        """Change how many ids one replication call gives, and how many jobs a day allows."""
        if most_ids is not None:
            self._org.retention.most_ids = most_ids
        if query_jobs is not None:
            self._org.job_quota.most = query_jobs


@dataclass
class SalesforceSandbox:
    """An org that is being served."""

    url: str
    org: Org
    sessions: Sessions
    gate: Gate
    script: SalesforceScript

    @property
    def credentials(self) -> Mapping[str, str]:
        """What a client needs to log in."""
        app = self.sessions.app
        return {
            "login_url": self.url,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "username": app.username,
        }


@contextmanager
def served(
    company: Company | None = None, *, port: int = 0, accounts: int = 0
) -> Iterator[SalesforceSandbox]:
    """Serve an org while the block lasts: the company's, or so many accounts with contacts."""
    clock = Clock(last_change(company, "crm") + timedelta(minutes=5) if company else None)
    org = Org(clock)
    sessions = Sessions(org)
    story = Story(org, company) if company else None
    fill(org, accounts)
    app = application(org, sessions)
    gate = Gate(app, clock)
    script = SalesforceScript(gate, org, sessions, story)
    add_control(app, script)
    with serving.running(gate, serving.bound(port)) as url:
        yield SalesforceSandbox(url, org, sessions, gate, script)
