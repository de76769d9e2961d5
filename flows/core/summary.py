"""What one run did, told from the ledger."""

from collections.abc import Iterable, Sequence
from typing import Any

from flows.core.warehouse import connect

LANDED = """
select connection, count(*), sum(extracted_count), sum(landed_count), sum(rejected_count)
from ops.batches where run_id = %s group by connection order by connection
"""
JUDGED = """
select promotion, count(*), count(*) filter (where outcome = 'note'),
    count(*) filter (where outcome = 'quarantine'), count(*) filter (where outcome = 'block')
from ops.verdicts where run_id = %s group by promotion order by min(verdict_id)
"""
HELD = """
select count(distinct (source_system, document_type, document_key)), count(*)
from quarantine.rows where status = 'open'
"""
PUBLISHED = """
select publication_id, slot from ops.publications where run_id = %s
order by publication_id desc limit 1
"""
IN_FULL = (
    "In full: artifacts `gate-raw`, `gate-identity` and `gate-marts`; what changed: `publication`; "
    "where CRM and ERP differ: `reconciliation`."
)


def summary(run_id: int, timings: dict[str, float]) -> str:
    """Return a page that says what a run landed, how it was judged and what was published."""
    with connect() as connection:
        landed = connection.execute(LANDED, (run_id,)).fetchall()
        judged = connection.execute(JUDGED, (run_id,)).fetchall()
        held = connection.execute(HELD).fetchone() or (0, 0)
        published = connection.execute(PUBLISHED, (run_id,)).fetchone()
    parts = [
        f"# Run {run_id}",
        _publication(published),
        _table(("connection", "files", "extracted", "landed", "rejected"), landed)
        if landed
        else "Nothing new was landed.",
        _table(("gate", "rules", "notes", "quarantine", "block"), judged)
        if judged
        else "Nothing had to be judged.",
        f"In quarantine: {held[0]:,} documents ({held[1]:,} rows).",
        IN_FULL,
        "Seconds: " + (", ".join(f"{step} {spent:.1f}" for step, spent in timings.items()) or "0"),
    ]
    return "\n\n".join(parts)


def _publication(published: tuple[Any, ...] | None) -> str:
    if published is None:
        return "**Nothing was published; analysts read what they read before.**"
    return f"**Publication {published[0]} is live (slot {published[1]}).**"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
