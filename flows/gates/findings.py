"""What one expectation found, with what its suite says of it."""

from typing import Any

from flows.gates.listing import Table, listing_query
from flows.gates.unjudged import Expectation
from flows.gates.verdict import Finding, Thresholds


def described(
    suite: str,
    table: Table,
    node: Expectation,
    **found: Any,  # noqa: ANN401 - the fields of Finding
) -> Finding:
    """Return what was found, with the rule's words, thresholds and listing query."""
    meta = node["meta"]
    return Finding(
        suite=suite,
        rule=meta["rule"],
        expectation=node["type"],
        severity=node["severity"],
        description=meta.get("description", ""),
        advice=meta.get("advice", ""),
        query=listing_query(node["type"], node["kwargs"], table),
        thresholds=Thresholds.of(meta),
        key=tuple(meta.get("key", ())),
        **found,
    )
