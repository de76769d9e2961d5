"""What every way of reading a walk shares: the state that goes with each page."""

from datetime import timedelta
from typing import Any

from flows.sources.salesforce.api import Described, SalesforceApi
from flows.sources.salesforce.stamps import stamp_of
from flows.sources.windows import State

FRESH = timedelta(seconds=60)


class Reading:
    """One object being read; `walk` in what follows is the part of its state about one walk."""

    def __init__(self, api: SalesforceApi, described: Described, state: State | None) -> None:
        self.api = api
        self.described = described
        self.name = described.name
        self.state: dict[str, Any] = dict(state or {})

    def saved(self, walk: dict[str, Any]) -> State:
        """Return the state from which a later run goes on with the walk."""
        return {**self.state, "walk": dict(walk)}

    def note_newest(self, newest: str) -> None:
        """Note the timestamp of a row that was read."""
        self.state["newest"] = max(self.state.get("newest", ""), newest)

    def fresh_from(self) -> str:
        """Return since when rows are so new that their second may still go on."""
        return stamp_of(self.api.now() - FRESH)
