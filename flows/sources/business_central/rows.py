"""Pages of Business Central's rows, as landing wants them.

Beside its own properties a row says which company it is of (`_companyId`, `_companyName`), because
Business Central says it in the address only.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

from flows.sources.business_central.objects import CURSORS, IN_LOCAL_CURRENCY
from flows.sources.business_central.queries import Company
from flows.sources.business_central.stamps import stamp
from flows.sources.http import JsonPage
from flows.sources.windows import Page, State, version_of

NEVER = "0001-01-01"  # how the system writes a date that is empty
KEY_FIELDS = ("_companyId", "id")


def key_of(company_id: str, record_id: str) -> str:
    """Return the key of a record; ids may repeat where one company is the copy of another."""
    return f"{company_id}|{record_id.lower()}"


def company_of(key: str) -> str:
    """Return the id of the company that a key is of."""
    return key.partition("|")[0]


def id_of(key: str) -> str:
    """Return the id of the record."""
    return key.partition("|")[2]


def stamp_in(row: Mapping[str, Any]) -> str | None:
    """Return when a row was last changed, None for one that does not say or never was."""
    text = next((str(row[name]) for name in CURSORS if row.get(name)), NEVER)
    return None if text.startswith(NEVER) else stamp(text)


def is_in_local_currency(name: str, row: Mapping[str, Any]) -> bool:
    """Tell whether the amounts of a row are in its company's own currency without saying so."""
    code = row.get("relationalCurrencyCode", row.get("currencyCode"))
    return name in IN_LOCAL_CURRENCY or code == ""


@cache
def _beginning(company: Company, currency: str | None) -> bytes:
    told = {"_companyId": company.id, "_companyName": company.name}
    if currency:
        told["_localCurrency"] = currency
    return json.dumps(told)[:-1].encode() + b","


def page_of(  # noqa: PLR0913 - all by name
    page: JsonPage,
    company: Company,
    state: State,
    *,
    local_currency: Callable[[Mapping[str, Any]], str | None] = lambda _: None,
    known: AbstractSet[tuple[str, str | None]] = frozenset(),
    may_repeat: bool = True,
) -> Page:
    """Return a page's rows without those `known` from the page before.

    `local_currency` gives the currency of a row that names none. Every version carries a digest:
    amounts still to pay change without the row's timestamp.
    """
    lines = [
        _beginning(company, local_currency(row)) + line[1:]
        for row, line in zip(page.rows, page.lines.split(b"\n")[:-1], strict=True)
    ]
    keys = [key_of(company.id, str(row["id"])) for row in page.rows]
    versions = [
        version_of(stamp_in(row) or "", line, fresh_from="")
        for row, line in zip(page.rows, lines, strict=True)
    ]
    kept = [place for place, pair in enumerate(zip(keys, versions, strict=True))
            if pair not in known]  # fmt: skip
    return Page(
        state,
        b"".join(lines[place] + b"\n" for place in kept),
        [keys[place] for place in kept],
        [versions[place] for place in kept],
        may_repeat=may_repeat,
    )


def page_of_deletes(keys: Sequence[str], state: State, at: str) -> Page:
    """Return notices that these records are deleted, as of a moment."""
    rows = [
        {"_companyId": company_of(key), "id": id_of(key), "lastModifiedDateTime": at}
        for key in keys
    ]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return Page(state, lines, keys, [at] * len(keys), operation="delete")


def page_of_posted(rows: Iterable[tuple[str, str]], state: State, at: str) -> Page:
    """Return the last rows of documents that were posted, now marked as such; none is live."""
    marked = [(key, f'{{"_postedBy":"{at}",{text[1:]}'.encode()) for key, text in rows]
    keys = [key for key, _ in marked]
    return Page(
        state,
        b"".join(line + b"\n" for _, line in marked),
        keys,
        [at] * len(keys),
        gone=frozenset(keys),
        may_repeat=False,
    )
