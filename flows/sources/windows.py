"""What a source behind an API fulfils: windows of changes, page by page, and a census.

Landing commits every page together with its state, so that a run that was stopped anywhere goes on
from the last committed page. The state is the source's own: landing keeps it and hands it back.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import Any, Literal, Protocol, runtime_checkable

from flows.sources.contract import SourceObject
from flows.sources.http.quota import Meter

State = Mapping[str, Any]
Operation = Literal["upsert", "delete"]
Fate = Literal["live", "deleted", "hidden", "left"]


@dataclass(frozen=True)
class Page:
    """Rows that arrived together, and the state to go on from once they are committed.

    `versions` says for each row which version of its key it is (usually its timestamp): landing
    leaves out what `may_repeat` and is known already. `gone` are keys of rows that say themselves
    that they are deleted. A page without rows only moves the state.
    """

    state: State
    lines: bytes = b""  # JSON objects, one a line
    keys: Sequence[str] = ()
    versions: Sequence[str | None] = ()
    operation: Operation = "upsert"
    gone: AbstractSet[str] = frozenset()
    may_repeat: bool = True
    compare_keys: bool = False  # deletes may have been missed: only a comparison key by key helps


def together(pages: Sequence[Page]) -> Iterator[Page]:
    """Yield the pages with neighbours of one kind joined into one, for a single commit."""
    for _, members in groupby(pages, lambda page: (page.operation, page.may_repeat)):
        joined = list(members)
        yield (
            joined[0]
            if len(joined) == 1
            else Page(
                joined[-1].state,
                b"".join(page.lines for page in joined),
                [key for page in joined for key in page.keys],
                [version for page in joined for version in page.versions],
                joined[0].operation,
                frozenset().union(*(page.gone for page in joined)),
                joined[0].may_repeat,
                any(page.compare_keys for page in joined),
            )
        )


@dataclass(frozen=True)
class WindowObject(SourceObject):
    """An object of such a source; without one of its `needed` fields nothing may land.

    `key_fields` of a landed row, joined by '|', are its key. `is_counted_every_run` where nothing
    but a count tells of deletes.
    """

    is_canonical: bool = False
    needed: AbstractSet[str] = frozenset()
    key_fields: tuple[str, ...] = ("Id",)
    is_counted_every_run: bool = False


@runtime_checkable
class WindowSource(Protocol):
    """A system that is asked for what changed; landing calls it from one thread at a time."""

    meter: Meter

    def objects(self) -> Sequence[WindowObject]:
        """Return what there is to land, in an order that does not change between runs."""

    def fields(self, name: str) -> Mapping[str, str]:
        """Return the fields that may be read of an object, each with its type."""

    def pages(self, name: str, state: State | None, *, full: bool) -> Iterator[Page]:
        """Yield what is new since the state, everything without one or when `full`.

        The last page's state is where the next run begins. A state from the middle of a walk goes
        on with it. Deleted rows come as pages with the operation 'delete'.
        """

    def count(self, name: str) -> int | None:
        """Return how many live rows the system has, None where it cannot say."""

    def live_keys(self, name: str) -> Iterator[Sequence[tuple[str, str | None]]]:
        """Yield every live key with its version, page by page."""

    def fetch(self, name: str, keys: Sequence[str], state: State) -> Iterator[Page]:
        """Yield the rows of these keys as they are now; those that are not there are left out."""

    def fates(self, name: str, keys: Sequence[str]) -> Mapping[str, Fate]:
        """Say of keys that are no longer listed whether they are deleted or only out of sight.

        'left' are those of which a source with `departures` knows more.
        """

    def deletions(self, name: str, keys: Sequence[str], state: State) -> Page:
        """Return the page that says that these keys are deleted."""

    def close(self) -> None:
        """Give back what is held open."""


class DepartureSource(WindowSource, Protocol):
    """A source with lists that rows also leave because they became something else."""

    def departures(self, name: str, rows: Mapping[str, str], state: State) -> Iterator[Page]:
        """Yield what became of rows that left their list; `rows` are their last JSON, by key."""


def version_of(stamp: str, line: bytes, fresh_from: str) -> str:
    """Return the version of a row: its stamp, with a digest while its second may go on.

    Stamps name a second, and a row read in the second in which it was changed may be changed
    again without another stamp. Both texts must be of one form, so that they compare.
    """
    if stamp < fresh_from:
        return stamp
    return f"{stamp}#{blake2b(line, digest_size=8).hexdigest()}"
