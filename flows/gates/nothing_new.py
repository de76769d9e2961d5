"""Suites without a row to judge: what they find is known, so Great Expectations is not asked."""

from collections.abc import Iterator, Mapping

from flows.gates.findings import described
from flows.gates.listing import Table, listing_query
from flows.gates.unjudged import DEPENDS_ON, ROW_COUNT, Expectation, expectations_of
from flows.gates.verdict import Finding


def suites_without_rows(
    suites: Mapping[str, Table], read: Mapping[str, Table], least: Mapping[str, int]
) -> dict[str, Table]:
    """Return the suites whose part to read is empty, and whose every rule is about single rows.

    A table that has lost too many rows is none of them: that is for its suite to say.
    """
    return {
        suite: table
        for suite, table in suites.items()
        if not read[suite].rows
        and least[f"{table.name}_least_rows"] <= 0
        and all(map(_is_about_rows, expectations_of(table.name)))
    }


def findings(suites: Mapping[str, Table]) -> Iterator[Finding]:
    """Yield for each expectation what it would find: that no row fails."""
    for suite, table in suites.items():
        for node in expectations_of(table.name):
            yield _finding(suite, table, node)


def _is_about_rows(node: Expectation) -> bool:
    return node["type"] == ROW_COUNT or node["meta"].get(DEPENDS_ON) is not None


def _finding(suite: str, table: Table, node: Expectation) -> Finding:
    return described(
        suite,
        table,
        node,
        is_success=True,
        checked=table.rows,
        observed=str(table.rows) if node["type"] == ROW_COUNT else "",
        quick_query=listing_query(node["type"], node["kwargs"], table),
    )
