"""A mapping file: which file, column, constant or SQL expression fills each canonical column."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from flows.core.errors import MappingError
from flows.sources.files.format import FileFormat
from flows.sources.files.mapping_formats import ColumnType


@dataclass(frozen=True)
class MappedFile:
    """One file of the folder; its rows land untouched under its name."""

    name: str
    line: int
    path: str
    delimiter: str = ","
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    type_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def format(self) -> FileFormat:
        """How its bytes are read; a name without a known ending (.txt, .dat) is taken for CSV."""
        named = FileFormat.of(self.path)
        form = named or FileFormat("csv", is_gzip=self.path.lower().endswith(".gz"))
        return replace(form, encoding=self.encoding, delimiter=self.delimiter, header=self.header)

    def type_of(self, column: str) -> ColumnType:
        """Return how a column is read; text unless the mapping says otherwise."""
        return self.types.get(column, ColumnType())


@dataclass(frozen=True)
class Expression:
    """What fills one canonical column: a file column, a constant or SQL."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Lookup:
    """Another file whose newest row with the same key lends its columns, as "name.COLUMN"."""

    name: str
    file: str
    match: Mapping[str, str]
    where: Expression | None
    line: int


@dataclass(frozen=True)
class Part:
    """How the rows of one file fill one entity; an entity may have several parts."""

    entity: str
    file: str
    line: int
    columns: Mapping[str, Expression]
    where: Expression | None = None
    lookups: tuple[Lookup, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The file it reads, then the files it looks up."""
        return (self.file, *(lookup.file for lookup in self.lookups))

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Yield every expression with the words that say where it stands."""
        for column, expression in self.columns.items():
            yield f"column {column!r} of entity {self.entity!r}", expression
        if self.where:
            yield f"'where' of entity {self.entity!r}", self.where

    def resolve(self, name: str) -> tuple[Lookup | None, str]:
        """Tell a looked-up "lookup.COLUMN" from a column of the file itself."""
        prefix, dot, column = name.partition(".")
        for lookup in self.lookups:
            if dot and lookup.name == prefix:
                return lookup, column
        return None, name


@dataclass(frozen=True)
class FileMapping:
    """One mapping file, read and understood."""

    path: Path
    files: Mapping[str, MappedFile]
    parts: tuple[Part, ...]

    def parts_of(self, entity: str) -> list[Part]:
        """Return the parts that fill one entity, in the order of the mapping file."""
        return [part for part in self.parts if part.entity == entity]

    def entities_of(self, file: str) -> tuple[str, ...]:
        """Return the entities that the rows of one file fill."""
        return tuple(dict.fromkeys(part.entity for part in self.parts if part.file == file))

    def looked_up_by(self, file: str) -> tuple[str, ...]:
        """Return the files that the rows of one file borrow values from."""
        borrowed = (part.files[1:] for part in self.parts if part.file == file)
        return tuple(dict.fromkeys(name for names in borrowed for name in names))


class Problems:
    """Every problem of one mapping file, so that all are shown at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[int, str], None] = {}

    def report(self, line: int, text: str) -> None:
        """Note one problem with its line."""
        self._found[(line, text)] = None

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self) -> None:
        """Raise MappingError with all problems, ordered by line."""
        if self._found:
            lines = (f"{self._path}, line {line}: {text}" for line, text in sorted(self._found))
            raise MappingError("\n".join(lines))


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or list them."""
    names = list(known)
    by_folded = {one.casefold(): one for one in names}
    close = get_close_matches(name.casefold(), by_folded, n=1)
    if close:
        return f"did you mean {by_folded[close[0]]!r}?"
    return f"known are {', '.join(sorted(names)) or 'none'}."
