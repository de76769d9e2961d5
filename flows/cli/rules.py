"""The business rules as people read them."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from flows.core.ownership import matrix, ownership_rules

TITLES = {"entity": "Entity", "field": "Field", "CRM": "CRM", "ERP": "ERP", "mode": "Mode"}


def show(arguments: Namespace) -> dict[str, Any]:
    """Return the ownership matrix, as text, as a page or as data."""
    rows = matrix(ownership_rules())
    text = page(rows) if arguments.markdown else table(rows)
    return {"rules": rows} if arguments.json else {"text": text}


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the matrix as a table with aligned columns, without the reasons."""
    widths = {key: max(len(row[key]) for row in [TITLES, *rows]) for key in TITLES}
    lines = [_aligned(TITLES, widths)]
    lines += [_aligned(row, widths) for row in rows]
    return "\n".join(lines)


def page(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the matrix as the page that stands in docs."""
    titles = [*TITLES.values(), "Why"]
    lines = [INTRODUCTION, _piped(titles), _piped(["---"] * len(titles))]
    lines += [_piped([*(_cell(row, key) for key in TITLES), row["reason"]]) for row in rows]
    return "\n".join(lines)


def _aligned(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return "  ".join(row[key].ljust(width) for key, width in widths.items()).rstrip()


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _cell(row: Mapping[str, str], key: str) -> str:
    return f"`{row[key]}`" if key in ("field", "mode") else row[key]


INTRODUCTION = """\
# Who owns which field

Printed from [field_ownership.csv](../dbt_project/seeds/rules/field_ownership.csv) by
`concord rules show --markdown > docs/ownership.md`. Change the file, not this page: the marts are
built by it, and rebuilt in full after it changed.

* `owner_wins`: the owner's value holds; where it has none, the other side's.
* `fill_only`: the owner's value only fills what the other side leaves empty.
* `most_recent`: the value of the record that was changed last holds; where none is dated, the
  owner's.
* `review`: as `owner_wins`, and what differs is marked for review in the mart
  `customer_field_conflicts`.

Where one side has several records of a customer, the oldest that has a value speaks for it. The
values of an address stay together, and so do an amount and its currency. Addresses and contacts
are ruled by their role: the side that owns it says how the address or the person is written; the
other fills in what is missing of a person.
"""
