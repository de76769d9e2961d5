"""The census: what the source has against what has landed, and whatever is missing fetched."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from flows.core.errors import SourceRefusedError, UnbalancedError
from flows.landing.known_keys import KnownKeys
from flows.sources.windows import DepartureSource, Page, State, WindowObject, WindowSource

CHUNK = 200
MANY_UNLISTED = 100
SAMPLE = 10
NAMED = 5

Item = TypeVar("Item")


@dataclass(frozen=True)
class Counted:
    """How many live rows the source has, how many of ours it should have, and what was repaired."""

    source_count: int
    warehouse_count: int
    fetched: Sequence[str] = ()
    deleted: Sequence[str] = ()
    hidden: Sequence[str] = ()

    def note(self) -> str | None:
        """Say in words what the census found, None when all was as it should be."""
        found = (
            ("the census fetched {} the source had withheld", self.fetched),
            ("it found {} deleted without notice", self.deleted),
            ("{} can no longer be seen, but are not deleted, and stay as they are", self.hidden),
        )
        parts = [text.format(_named(keys)) for text, keys in found if keys]
        return "; ".join(parts) + "." if parts else None


class Census:
    """Compares one object; `commit` lands what it finds missing."""

    def __init__(
        self,
        source: WindowSource,
        target: WindowObject,
        keys: KnownKeys,
        commit: Callable[[Page], None],
    ) -> None:
        self._source = source
        self._target = target
        self._name = target.name
        self._keys = keys
        self._commit = commit

    def take(self, state: State, *, by_key: bool) -> Counted:
        """Compare by count, and by key where the counts differ or when asked.

        Raises UnbalancedError naming the keys that are listed and cannot be fetched.
        """
        count, live = self._source.count(self._name), self._keys.live_count()
        if not by_key and count in (live, None):
            return Counted(live, live)
        self._keys.take_list(self._source.live_keys(self._name))
        self._refuse_a_short_list()
        fetched = self._keys.not_landed()
        for chunk in chunks(fetched):
            for page in self._source.fetch(self._name, chunk, state):
                self._commit(page)
        deleted, hidden = self._settle(self._keys.unlisted(), state)
        self._refuse_what_is_still_missing()
        live = self._keys.live_count() - len(hidden)
        return Counted(live, live, fetched, deleted, hidden)

    def _refuse_a_short_list(self) -> None:
        # Counted again, because rows may have been deleted while the list was read.
        listed, count = self._keys.listed_count(), self._source.count(self._name)
        if count is not None and count > listed:
            raise UnbalancedError(
                f"{self._name}: the source counts {count:,} rows, but lists only {listed:,}. What "
                "it gave is landed; ask whoever runs the source, then run again."
            )

    def _settle(self, unlisted: Sequence[str], state: State) -> tuple[list[str], list[str]]:
        """Delete what the source says is deleted; leave alone what is only out of sight."""
        self._refuse_a_mass_disappearance(unlisted)
        deleted: list[str] = []
        hidden: list[str] = []
        for chunk in chunks(unlisted):
            fates = self._source.fates(self._name, chunk)
            gone = [key for key in chunk if fates[key] == "deleted"]
            if gone:
                self._commit(self._source.deletions(self._name, gone, state))
            deleted += gone
            deleted += self._follow([key for key in chunk if fates[key] == "left"], state)
            hidden += [key for key in chunk if fates[key] == "hidden"]
        return deleted, hidden

    def _follow(self, left: Sequence[str], state: State) -> list[str]:
        """Land what became of rows that left their list; return those that were deleted."""
        if not left:
            return []
        rows = self._keys.last_rows(left, self._target.key_fields)
        source = cast("DepartureSource", self._source)
        deleted: list[str] = []
        for page in source.departures(self._name, rows, state):
            self._commit(page)
            deleted += page.keys if page.operation == "delete" else []
        return deleted

    def _refuse_a_mass_disappearance(self, unlisted: Sequence[str]) -> None:
        if len(unlisted) < MANY_UNLISTED:
            return
        sample = unlisted[:: max(len(unlisted) // SAMPLE, 1)][:SAMPLE]
        fates = self._source.fates(self._name, sample)
        if there := [key for key in sample if fates[key] not in ("deleted", "left")]:
            raise SourceRefusedError(
                f"{self._name}: {len(unlisted):,} rows are no longer listed, but {len(there)} of "
                f"{len(sample)} looked up are not deleted ({_named(there)}). The integration user "
                "may see fewer rows than before; nothing was taken for deleted."
            )

    def _refuse_what_is_still_missing(self) -> None:
        missing = self._keys.not_landed()
        fates = {
            key: fate
            for chunk in chunks(missing)
            for key, fate in self._source.fates(self._name, chunk).items()
        }
        if still := [key for key in missing if fates[key] != "deleted"]:
            raise UnbalancedError(
                f"{self._name}: the source lists {_named(still)}, but does not give them out. "
                "What it gave is landed; ask whoever runs the source, then run again."
            )


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Yield the items in pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _named(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - NAMED:,} more" if len(keys) > NAMED else ""
    return f"{', '.join(keys[:NAMED])}{more}"
