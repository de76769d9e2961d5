"""Pages of Salesforce's rows, as landing wants them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.sources.http import JsonPage
from flows.sources.http.quoted_csv import CsvPage
from flows.sources.salesforce.stamps import stamp
from flows.sources.windows import Page, State, version_of


def page_of_json(
    page: JsonPage, state: State, cursor: str | None, fresh_from: str, *, may_repeat: bool
) -> Page:
    """Return rows that REST gave."""
    rows = page.rows
    stamps = [stamp(row[cursor]) if cursor and row.get(cursor) else None for row in rows]
    return Page(
        state,
        page.lines,
        [row["Id"] for row in rows],
        _versions(stamps, page.lines, fresh_from),
        gone=frozenset(row["Id"] for row in rows if row.get("IsDeleted")),
        may_repeat=may_repeat,
    )


def page_of_csv(
    page: CsvPage, state: State, cursor: str | None, fresh_from: str, *, may_repeat: bool
) -> Page:
    """Return rows that Bulk gave."""
    keys, flags = page.values.get("Id", ()), page.values.get("IsDeleted", ())
    stamps: list[str | None] = [None] * len(keys)
    if cursor and keys:
        stamps = [stamp(text) if text else None for text in page.values[cursor]]
    return Page(
        state,
        page.lines,
        keys,
        _versions(stamps, page.lines, fresh_from),
        gone=frozenset(
            key for key, flag in zip(keys, flags, strict=False) if flag.lower() == "true"
        ),
        may_repeat=may_repeat,
    )


def page_of_deletes(
    deletes: Iterable[tuple[str, str]], state: State, known: Mapping[str, Mapping[str, Any]]
) -> Page:
    """Return notices of deleted rows, each with its time, and who took its place where known."""
    pairs = list(deletes)
    rows = [
        {
            "Id": key,
            "IsDeleted": True,
            "MasterRecordId": known.get(key, {}).get("MasterRecordId"),
            "SystemModstamp": at,
        }
        for key, at in pairs
    ]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    keys, times = [key for key, _ in pairs], [at for _, at in pairs]
    return Page(state, lines, keys, times, operation="delete")


def _versions(stamps: Sequence[str | None], lines: bytes, fresh_from: str) -> Sequence[str | None]:
    if not any(one is None or one >= fresh_from for one in stamps):
        return stamps
    rows = lines.split(b"\n")
    # A row without a timestamp is told from other versions of it by what it says.
    return [
        version_of(one or "", row, fresh_from if one else "")
        for one, row in zip(stamps, rows, strict=False)
    ]
