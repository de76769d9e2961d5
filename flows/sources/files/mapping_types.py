"""The `types`, marks and date formats of one file in a mapping file."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from flows.sources.files.mapping import nearest
from flows.sources.files.mapping_formats import (
    DECIMAL_MARKS,
    THOUSANDS_MARKS,
    TYPES,
    ColumnType,
    FormatError,
)
from flows.sources.located_yaml import Located, Report

_COLUMN_KEYS = ("type", "decimal", "thousands", "format", "time_zone")
_MARKS = {"decimal": DECIMAL_MARKS, "thousands": THOUSANDS_MARKS}


def read_types(
    what: str, fields: Mapping[str, Located], report: Report
) -> tuple[dict[str, ColumnType], dict[str, int]]:
    """Return the type of each column named under `types`, and the line that says so."""
    node = fields.get("types")
    if node is not None and node.fields is None:
        report(node.line, f"'types' of {what} is {node.described}; give it COLUMN: type pairs.")
    entries = list(node.entries()) if node else []
    types = {
        column: _column_type(f"column {column!r} of {what}", value, fields, report)
        for column, _, value in entries
    }
    _check_marks(what, fields, report)
    return types, {column: line for column, line, _ in entries}


def _column_type(
    what: str, node: Located, defaults: Mapping[str, Located], report: Report
) -> ColumnType:
    own = node.fields if node.fields is not None else {"type": node}
    for key, line, _ in node.entries():
        if key not in _COLUMN_KEYS:
            report(line, f"{what} has the unknown key {key!r}; {nearest(key, _COLUMN_KEYS)}")
    name = own["type"].text if "type" in own else None
    if name not in TYPES:
        report(node.line, f"{what} has the type {name!r}; {nearest(str(name), TYPES)}")
        return ColumnType()
    if node.fields is not None:
        _check_marks(what, own, report)
    form = own.get("format") or defaults.get(f"{name}_format")
    found = ColumnType(
        type=name,
        decimal=_option("decimal", own, defaults) or ".",
        thousands=_option("thousands", own, defaults),
        format=form.text if form else None,
        time_zone=_option("time_zone", own, defaults) or "UTC",
    )
    _check_format(what, found, form.line if form else node.line, report)
    return found


def _option(key: str, own: Mapping[str, Located], defaults: Mapping[str, Located]) -> str | None:
    node = own.get(key) or defaults.get(key)
    return node.text if node else None


def _check_marks(what: str, fields: Mapping[str, Located], report: Report) -> None:
    for key, allowed in _MARKS.items():
        if (node := fields.get(key)) and node.text not in allowed:
            choice = " ".join(repr(mark) for mark in allowed)
            report(node.line, f"{key!r} of {what} is {node.described}; use one of {choice}.")
    zone = fields.get("time_zone")
    if zone and not _is_time_zone(zone.text or ""):
        report(zone.line, f"'time_zone' of {what} is {zone.described}; use one like Europe/Berlin.")


def _check_format(what: str, found: ColumnType, line: int, report: Report) -> None:
    if found.thousands == found.decimal and found.type in ("number", "integer"):
        report(line, f"{what} has the same decimal and thousands mark; they must differ.")
    try:
        found.check()
    except FormatError as error:
        report(line, f"{what}: {error}")


def _is_time_zone(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False
