"""YAML that remembers where each value stands, so that an error can name the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

Report = Callable[[int, str], None]


@dataclass(frozen=True)
class Located:
    """One YAML value and its line, counted from 1."""

    line: int
    text: str | None = None
    is_null: bool = False
    items: tuple[Located, ...] | None = None
    fields: dict[str, Located] | None = field(default=None)
    key_lines: dict[str, int] = field(default_factory=dict)

    @property
    def described(self) -> str:
        """What the value is, in words for an error message."""
        if self.fields is not None:
            return "a group of keys"
        if self.items is not None:
            return "a list"
        return "nothing" if self.is_null else repr(self.text)

    def as_list(self) -> tuple[Located, ...]:
        """Return the items of a list; any other value counts as a list of one."""
        return self.items if self.items is not None else (self,)

    def entries(self) -> Iterator[tuple[str, int, Located]]:
        """Each key with its line and its value."""
        for key, value in (self.fields or {}).items():
            yield key, self.key_lines[key], value


class UnreadableYamlError(Exception):
    """The text is not YAML; carries the line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def read_yaml(path: Path, report: Report) -> Located:
    """Parse one file; a repeated key is reported with its line.

    Raises UnreadableYamlError when the file is not YAML.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise UnreadableYamlError(
            mark.line + 1 if mark else 1, error.problem or "not YAML"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableYamlError(1, str(error).splitlines()[0]) from error
    return _located(node, report) if node is not None else Located(line=1, is_null=True)


def _located(node: yaml.Node, report: Report) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _located_fields(node, line, report)
    if isinstance(node, yaml.SequenceNode):
        return Located(line=line, items=tuple(_located(item, report) for item in node.value))
    if node.tag == "tag:yaml.org,2002:null":
        return Located(line=line, is_null=True)
    return Located(line=line, text=str(node.value))


def _located_fields(node: yaml.MappingNode, line: int, report: Report) -> Located:
    fields: dict[str, Located] = {}
    key_lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key, key_line = str(key_node.value), key_node.start_mark.line + 1
        if key in fields:
            report(key_line, f"{key!r} stands here a second time; keep one of the two.")
        fields[key], key_lines[key] = _located(value_node, report), key_line
    return Located(line=line, fields=fields, key_lines=key_lines)
