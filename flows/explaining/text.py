"""An explanation as people read it: what a value is made of, indented below it."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows.explaining.explanation import Cell, Explanation

LONGEST_PAYLOAD = 240
INDENT = "  "
_USED: Mapping[bool | None, str] = {True: "", False: "  (not used)", None: "  (may count)"}


def as_text(explanation: Explanation) -> str:
    """Return the whole explanation as indented lines."""
    lines = [f"marts.{explanation.table} {explanation.key}"]
    for cell in explanation.cells:
        lines += _cell(cell, 0)
    when = explanation.published.get("published_at")
    lines.append(f"published: {explanation.published['note']}, at {when}")
    return "\n".join(lines)


def _cell(cell: Cell, depth: int) -> Iterator[str]:
    margin = INDENT * depth
    yield f"{margin}{cell.column} = {_value(cell.value)}  ({cell.kind})"
    if cell.description:
        yield f"{margin}{INDENT}{cell.description}"
    for formula in cell.formula:
        yield f"{margin}{INDENT}= {' '.join(formula.split())}"
    for source in cell.sources:
        yield from _source(source, depth + 1)


def _source(source: Mapping[str, Any], depth: int) -> Iterator[str]:
    margin = INDENT * depth
    below = source.get("cell")
    if isinstance(below, Cell):
        yield f"{margin}<- {source['relation']} {source['source_key']}"
        yield from _cell(below, depth + 1)
        return
    yield f"{margin}{_headline(source)}"
    if source["part"] == "record":
        yield from (f"{margin}{INDENT * 2}{line}" for line in _origin(source))
    if source["part"] == "ruling":
        details = source.get("details") or {}
        who = f"by {details.get('decided_by')}, through {details.get('entered_through')}"
        yield f"{margin}{INDENT * 2}{who}: {details.get('reason') or 'no reason given'}"


def _headline(source: Mapping[str, Any]) -> str:
    note = f"  [{source['note']}]" if source.get("note") else ""
    if source["part"] == "column":
        return f"<- {source['relation']}.{source['source_column']}{note}"
    if source["part"] == "held back":
        return f"{source.get('note', '')} (batch {source.get('batch_id')})"
    if source["part"] in ("rule", "ruling"):
        return f"{source['part']}: {source.get('note', '')}"
    key = "|".join(
        str(source[name]) for name in ("source_system", "source_key") if source.get(name)
    )
    used = _USED[source.get("is_used")]
    column = source["source_column"]
    value = "" if column == "*" else f" {column} = {_value(source.get('source_value'))}"
    return f"<- {source['relation']} {key}{value}{used}{note}"


def _origin(source: Mapping[str, Any]) -> Iterator[str]:
    if "batch_id" not in source:
        yield "its raw row is not there"
        return
    place = source.get("file") or "no file"
    line = f" line {source['line']}" if source.get("line") else ""
    yield (
        f"received as {_value(source.get('raw_value'))}, {source.get('operation')}, "
        f"batch {source['batch_id']}, {place}{line}, landed {source.get('landed_at')}"
    )
    details = source.get("details") or {}
    yield f"accepted {details.get('judged_at')}, staged by run {details.get('staged_by_run')}"
    payload = str(source.get("payload"))
    yield payload if len(payload) <= LONGEST_PAYLOAD else f"{payload[:LONGEST_PAYLOAD]}..."


def _value(value: object) -> str:
    return "null" if value is None else str(value)
