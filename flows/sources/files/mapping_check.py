"""Checks a mapping against its files and against Postgres, before anything runs."""

from collections.abc import Iterable
from pathlib import Path

import psycopg

from flows.sources.files.headers import header_of
from flows.sources.files.mapping import FileMapping, MappedFile, Part, Problems, nearest
from flows.sources.files.mapping_compile import check_sql
from flows.sources.files.mapping_reader import read_mapping
from flows.sources.files.mapping_words import COPY, names_used

LONGEST_COLUMN = 63  # bytes of a Postgres identifier


def check_mapping(
    path: Path, folder: Path, connection: psycopg.Connection | None = None
) -> FileMapping:
    """Read a mapping and check it: its text, its files' headers and, given Postgres, its SQL.

    Raises MappingError with every problem: file, line, column and what to do.
    """
    mapping, problems = read_mapping(path)
    _HeaderCheck(mapping, folder, problems).run()
    problems.raise_any()
    if connection is not None:
        check_sql(connection, mapping, problems)
        problems.raise_any()
    return mapping


class _HeaderCheck:
    """Holds the mapping's column names against the files as they are now."""

    def __init__(self, mapping: FileMapping, folder: Path, problems: Problems) -> None:
        self.mapping = mapping
        self.folder = folder
        self.report = problems.report
        self.headers: dict[str, tuple[str, ...]] = {}

    def run(self) -> None:
        for file in self.mapping.files.values():
            self._find(file)
        for file in self.mapping.files.values():
            for column, line in file.type_lines.items():
                self._check([column], file.name, line, f"'types' of file {file.name!r}")
        for part in self.mapping.parts:
            self._check_part(part)

    def _find(self, file: MappedFile) -> None:
        path = self.folder / file.path
        if not path.is_file():
            there = [one.name for one in sorted(self.folder.glob("*")) if one.is_file()]
            self.report(
                file.line,
                f"file {file.name!r}: there is no {file.path!r} in {self.folder}; "
                f"{nearest(file.path, there)}",
            )
        elif header := self._header(file, path):
            self.headers[file.name] = header

    def _header(self, file: MappedFile, path: Path) -> tuple[str, ...] | None:
        try:
            return file.header or header_of(path, file.format)
        except UnicodeError as error:
            self.report(
                file.line,
                f"file {file.name!r}: the header of {file.path!r} is not {file.encoding} "
                f"({error}); correct 'encoding'.",
            )
        except (OSError, EOFError, ValueError):
            return None  # landing refuses the file as a whole and says why
        return None

    def _check_part(self, part: Part) -> None:
        for what, expression in part.expressions():
            for name in names_used(expression):
                lookup, column = part.resolve(name)
                file = lookup.file if lookup else part.file
                self._check([column], file, expression.line, what)
        for lookup in part.lookups:
            what = f"lookup {lookup.name!r} of entity {part.entity!r}"
            theirs = [*lookup.match.values(), *names_used(lookup.where)]
            self._check(lookup.match, part.file, lookup.line, what)
            self._check(theirs, lookup.file, lookup.line, what)

    def _check(self, columns: Iterable[str], file: str, line: int, what: str) -> None:
        header = self.headers.get(file)
        for column in columns:
            if header and column not in (*header, COPY):
                self.report(
                    line,
                    f"{what}: file {file!r} has no column {column!r}; {nearest(column, header)}",
                )
            if len(column.encode()) > LONGEST_COLUMN:
                self.report(
                    line,
                    f"{what}: {column!r} is longer than {LONGEST_COLUMN} bytes and cannot be "
                    "mapped; rename it in the file.",
                )
