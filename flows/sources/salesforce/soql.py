"""The queries of a walk, made of names that a description gave and of timestamps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.sources.salesforce.api import Described


@dataclass(frozen=True)
class Walked:
    """Where a walk stands: it began at `start`, has passed the pair `after`, and ends at `end`."""

    start: str | None = None
    after: Sequence[str] | None = None
    end: str | None = None
    is_within_tie: bool = False

    def parts(self) -> Iterator["Walked"]:
        """Yield what is left as windows of one condition each: the rest of a tie, then later."""
        if self.after and self.after[0]:
            yield Walked(self.start, self.after, self.end, is_within_tie=True)
        yield self

    def conditions(self, cursor: str | None) -> list[str]:
        """Return the conditions on the cursor and the id."""
        if cursor is None:
            return []
        if self.after and self.after[0]:
            moment, key = self.after
            if self.is_within_tie:
                return [f"{cursor} = {moment}", f"Id > '{key}'"]
            bounds = [f"{cursor} > {moment}"]
        else:
            bounds = [f"{cursor} >= {self.start}"] if self.start else []
        return bounds + ([f"{cursor} < {self.end}"] if self.end else [])


def select(described: Described, walked: Walked, *, in_order: bool = True) -> str:
    """Return the query of a window, in the order of (timestamp, id) unless that does not matter."""
    soql = f"SELECT {', '.join(described.fields)} FROM {described.name}"
    if conditions := walked.conditions(described.cursor):
        soql += f" WHERE {' AND '.join(conditions)}"
    if not in_order:
        return soql
    if walked.is_within_tie or described.cursor is None:
        return f"{soql} ORDER BY Id"
    return f"{soql} ORDER BY {described.cursor}, Id"


def by_id(described: Described, keys: Sequence[str], fields: Sequence[str] | None = None) -> str:
    """Return the query of rows by id."""
    listed = ", ".join(f"'{_quoted(key)}'" for key in keys)
    names = ", ".join(fields or described.fields)
    return f"SELECT {names} FROM {described.name} WHERE Id IN ({listed})"


def _quoted(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "\\'")
