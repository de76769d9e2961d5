"""Neighbouring chunks that can be written in one go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from flows.sources.contract import Chunk, Lines, Reject, Trust

# So much is sent again where Postgres refuses a line that nothing spoke against, and so much is
# held in memory meanwhile; at the end of each try the sender waits for Postgres to catch up.
LARGEST_TRY = 24 * 1024 * 1024


@dataclass(frozen=True)
class Group:
    """Blocks of one trust, or rejects (no trust at all); to be used up before the next group."""

    trust: Trust | None
    chunks: Iterator[Chunk]

    def blocks(self) -> Iterator[Lines]:
        """Return the group's blocks."""
        return (chunk for chunk in self.chunks if isinstance(chunk, Lines))

    def rejects(self) -> Iterator[Reject]:
        """Return the group's rejects."""
        return (chunk for chunk in self.chunks if isinstance(chunk, Reject))


class _Key:
    """Changes with the trust, and with every so many bytes that may have to be sent again."""

    def __init__(self) -> None:
        self._bytes = 0

    def __call__(self, chunk: Chunk) -> tuple[Trust | None, int]:
        if isinstance(chunk, Reject):
            return None, 0
        if chunk.trust == "likely":
            self._bytes += len(chunk.content)
        return chunk.trust, self._bytes // LARGEST_TRY


def grouped(chunks: Iterable[Chunk]) -> Iterator[Group]:
    """Yield the chunks in groups, each taken from the source only as it is used."""
    for (trust, _), members in groupby(chunks, _Key()):
        yield Group(trust, members)
