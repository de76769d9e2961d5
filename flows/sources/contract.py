"""What every source fulfils, so that landing needs to know none of them.

A source lists its objects. Reading one yields chunks: blocks of JSON objects, one a line, and
the records that could not be read, whole. Sources that know more than the text (a header, a
hash, a count of their own) say so on the reading once its chunks are exhausted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

LONGEST_ROW = 16 * 1024 * 1024
LONGEST_PART = 4 * 1024 * 1024

Cursor = Mapping[str, object]
Trust = Literal["certain", "likely", "doubtful"]


@dataclass(frozen=True)
class SourceObject:
    """One thing a source offers: a canonical entity's extract, or a file of a mapping."""

    name: str
    origin: str
    entities: tuple[str, ...]
    is_canonical: bool = True


@dataclass(frozen=True)
class Lines:
    """JSON objects, one a line, and how sure the source is that each is one.

    `certain`: made by the source itself; `likely`: nothing speaks against it, the warehouse's
    own check decides; `doubtful`: each line is to be judged.
    """

    content: bytes
    first_line: int
    trust: Trust = "doubtful"


@dataclass(frozen=True)
class Reject:
    """A record that cannot be read, kept whole; a very long one comes in several parts."""

    line: int
    reason: str
    content: bytes
    part: int = 1


Chunk = Lines | Reject


class Reading(Protocol):
    """One pass over an object."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns the source itself declares, None where it declares none."""

    @property
    def record_count(self) -> int:
        """How many records the source held, counted apart from the chunks."""

    @property
    def content_hash(self) -> str | None:
        """The SHA-256 of everything read, once the chunks are exhausted."""

    @property
    def bytes_done(self) -> int:
        """How far the reading is."""

    @property
    def bytes_total(self) -> int:
        """How far it will go."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield everything once, in order; raises SourceFileError for a fault of the whole."""


class Source(Protocol):
    """A system rows come from."""

    def objects(self) -> Sequence[SourceObject]:
        """Return what there is to land, in an order that does not change between runs."""

    def cursor(self, name: str) -> Cursor:
        """Return the state of an object, equal while nothing about it has changed."""

    def read(self, name: str) -> AbstractContextManager[Reading]:
        """Open an object; raises SourceFileError when it cannot be read as a whole."""
