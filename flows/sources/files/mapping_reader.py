"""Reads a mapping file and checks everything that can be told without its data files."""

import codecs
import re
from pathlib import Path

from flows.core import canonical
from flows.core.errors import MappingError
from flows.sources.files.mapping import (
    Expression,
    FileMapping,
    Lookup,
    MappedFile,
    Part,
    Problems,
    nearest,
)
from flows.sources.files.mapping_types import read_types
from flows.sources.located_yaml import Located, UnreadableYamlError, read_yaml

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
FILE_KEYS = (
    *("path", "delimiter", "encoding", "header", "types"),
    *("decimal", "thousands", "date_format", "timestamp_format", "time_zone"),
)
PART_KEYS = ("file", "where", "lookups", "columns")
LOOKUP_KEYS = ("file", "match", "where")
EXPRESSION_KEYS = ("constant", "sql")


def load_mapping(path: Path) -> FileMapping:
    """Read a mapping file.

    Raises MappingError with every problem: file, line, column and what to do.
    """
    mapping, problems = read_mapping(path)
    problems.raise_any()
    return mapping


def read_mapping(path: Path) -> tuple[FileMapping, Problems]:
    """Read as much of a mapping file as makes sense, with the problems found on the way."""
    if not path.is_file():
        raise MappingError(f"There is no mapping file {path}; correct 'mapping' of the connection.")
    problems = Problems(path)
    try:
        root = read_yaml(path, problems.report)
    except UnreadableYamlError as error:
        problems.report(error.line, f"this is not YAML ({error}); correct the line.")
        return FileMapping(path, {}, ()), problems
    return _Reader(path, problems).read(root), problems


class _Reader:
    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self.report = problems.report
        self.known = {entity.name: entity for entity in canonical.entities()}

    def read(self, root: Located) -> FileMapping:
        top = self._fields(root, "the mapping file", ("files", "entities"), ("files", "entities"))
        files = {
            name: file
            for name, line, node in (top.get("files") or root).entries()
            if "files" in top and (file := self._file(name, line, node))
        }
        parts = tuple(
            part
            for name, line, node in (top.get("entities") or root).entries()
            if "entities" in top
            for part in self._parts(name, line, node, files)
        )
        return FileMapping(self.path, files, parts)

    def _fields(
        self, node: Located, what: str, known: tuple[str, ...], required: tuple[str, ...] = ()
    ) -> dict[str, Located]:
        if node.fields is None:
            self.report(node.line, f"{what} is {node.described}; give it {_or(known)}.")
            return {}
        for key, line, _ in node.entries():
            if key not in known:
                self.report(line, f"{what} has the unknown key {key!r}; {nearest(key, known)}")
        for key in required:
            if key not in node.fields:
                self.report(node.line, f"{what} has no {key!r}; add it.")
        return {key: value for key, value in node.fields.items() if key in known}

    def _text(self, node: Located | None, what: str) -> str | None:
        if node is None:
            return None
        if not node.text:
            self.report(node.line, f"{what} is {node.described}; give it a text.")
        return node.text or None

    def _file(self, name: str, line: int, node: Located) -> MappedFile | None:
        what = f"file {name!r}"
        if not NAME.fullmatch(name):
            self.report(line, f"{what}: use lower-case letters, digits and underscores.")
        fields = self._fields(node, what, FILE_KEYS, ("path",))
        path = self._text(fields.get("path"), f"'path' of {what}")
        if path is None:
            return None
        types, type_lines = read_types(what, fields, self.report)
        return MappedFile(
            name=name,
            line=line,
            path=path,
            delimiter=self._delimiter(fields.get("delimiter"), what),
            encoding=self._encoding(fields.get("encoding"), what),
            header=self._header(fields.get("header"), what),
            types=types,
            type_lines=type_lines,
        )

    def _delimiter(self, node: Located | None, what: str) -> str:
        text = self._text(node, f"'delimiter' of {what}") or ","
        text = {"tab": "\t", "\\t": "\t"}.get(text, text)
        if node and (len(text) != 1 or text in '"\r\n' or ord(text) > 127):  # noqa: PLR2004 - ASCII
            self.report(node.line, f"'delimiter' of {what} must be one ASCII character or 'tab'.")
            return ","
        return text

    def _encoding(self, node: Located | None, what: str) -> str:
        text = self._text(node, f"'encoding' of {what}") or "utf-8"
        try:
            return codecs.lookup(text).name
        except LookupError:
            self.report(
                node.line if node else 1,
                f"'encoding' of {what} is {text!r}, which is not known; "
                "use a name such as utf-8, latin-1, cp1252 or utf-16.",
            )
            return "utf-8"

    def _header(self, node: Located | None, what: str) -> tuple[str, ...] | None:
        if node is None:
            return None
        names = tuple(item.text or "" for item in node.items or ())
        if not all(names) or not names or len(set(names)) < len(names):
            self.report(
                node.line,
                f"'header' of {what} must list the names of all its columns, each once "
                "(only for a file without a header line).",
            )
        return names

    def _parts(
        self, name: str, line: int, node: Located, files: dict[str, MappedFile]
    ) -> list[Part]:
        if name not in self.known:
            self.report(line, f"{name!r} is no canonical entity; {nearest(name, self.known)}")
            return []
        found = [self._part(name, item, files) for item in node.as_list()]
        return [part for part in found if part]

    def _part(self, entity: str, node: Located, files: dict[str, MappedFile]) -> Part | None:
        what = f"entity {entity!r}"
        fields = self._fields(node, what, PART_KEYS, ("file", "columns"))
        file = self._file_name(fields.get("file"), what, files)
        if file is None or "columns" not in fields:
            return None
        return Part(
            entity=entity,
            file=file,
            line=node.line,
            columns=self._columns(entity, fields["columns"]),
            where=self._where(fields.get("where"), what),
            lookups=self._lookups(fields.get("lookups"), what, files),
        )

    def _file_name(
        self, node: Located | None, what: str, files: dict[str, MappedFile]
    ) -> str | None:
        text = self._text(node, f"'file' of {what}")
        if node and text and text not in files:
            self.report(node.line, f"{what} reads {text!r}, not under 'files'; "
                        f"{nearest(text, files)}")  # fmt: skip
            return None
        return text

    def _columns(self, entity: str, node: Located) -> dict[str, Expression]:
        canonical_entity = self.known[entity]
        known = canonical_entity.column_names
        fields = self._fields(node, f"'columns' of entity {entity!r}", known)
        for key in canonical_entity.key:
            if key not in fields:
                self.report(
                    node.line, f"entity {entity!r} has no {key!r}; map it, it is part of the key."
                )
        found = {
            column: self._expression(f"column {column!r} of entity {entity!r}", value)
            for column, value in fields.items()
        }
        return {column: expression for column, expression in found.items() if expression}

    def _expression(self, what: str, node: Located) -> Expression | None:
        if node.fields is None:
            text = self._text(node, what)
            return Expression("column", text, node.line) if text else None
        fields = self._fields(node, what, EXPRESSION_KEYS)
        if len(fields) != 1:
            self.report(node.line, f"{what} needs a file column, or one of 'constant' and 'sql'.")
            return None
        [(kind, value)] = fields.items()
        text = self._text(value, f"{kind!r} of {what}")
        return Expression(kind, text, value.line) if text else None

    def _where(self, node: Located | None, what: str) -> Expression | None:
        text = self._text(node, f"'where' of {what}")
        return Expression("sql", text, node.line) if node and text else None

    def _lookups(
        self, node: Located | None, what: str, files: dict[str, MappedFile]
    ) -> tuple[Lookup, ...]:
        if node is None:
            return ()
        found = [self._lookup(*entry, what, files) for entry in node.entries()]
        if not found:
            self.report(node.line, f"'lookups' of {what} is {node.described}; name each lookup.")
        return tuple(lookup for lookup in found if lookup)

    def _lookup(
        self, name: str, line: int, node: Located, what: str, files: dict[str, MappedFile]
    ) -> Lookup | None:
        what = f"lookup {name!r} of {what}"
        fields = self._fields(node, what, LOOKUP_KEYS, ("file", "match"))
        file = self._file_name(fields.get("file"), what, files)
        pairs = list(fields["match"].entries()) if "match" in fields else []
        match = {key: value.text for key, _, value in pairs if value.text}
        if "match" in fields and not match:
            self.report(
                fields["match"].line,
                f"'match' of {what} needs pairs, a column of this file: its column in the other.",
            )
        if file is None or not match:
            return None
        return Lookup(name, file, match, self._where(fields.get("where"), what), line)


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")  # noqa: PLR2004 - a hint
