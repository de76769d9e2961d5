"""What landed, for people."""

from collections.abc import Iterable, Sequence

from flows.landing.batches import ColumnDrift, LandedBatch


def line(batch: LandedBatch) -> str:
    """Say in one line what became of an object."""
    name = f"{batch.connection}.{batch.object} ({batch.file})"
    if batch.refusal:
        return f"{name}: refused. {batch.refusal}"
    if batch.unchanged:
        return f"{name}: unchanged since batch {batch.batch_id}{_noted(batch)}"
    counts = f"{batch.landed:,} of {batch.extracted:,} rows landed, {batch.rejected:,} rejected"
    changes = f"; columns: {_changes(batch.drift)}" if batch.drift else ""
    return f"{name}: batch {batch.batch_id}, {counts}{changes}{_noted(batch)}"


def markdown(connection: str, batches: Sequence[LandedBatch]) -> str:
    """Show every object, what was refused and rejected, and what to do about it."""
    lines = [
        f"# Landing of {connection}",
        "",
        "| object | file | batch | extracted | landed | rejected | columns | result |",
        "|---|---|---:|---:|---:|---:|---|---|",
        *map(_row, batches),
    ]
    refused = [batch for batch in batches if batch.refusal]
    if refused:
        lines += ["", "## Refused files", ""]
        lines += [f"* **{batch.file}**: {batch.refusal}" for batch in refused]
    noted = [batch for batch in batches if batch.note]
    if noted:
        lines += ["", "## To know", ""]
        lines += [f"* **{batch.object}**: {batch.note}" for batch in noted]
    rejecting = [str(batch.batch_id) for batch in batches if batch.rejected]
    if rejecting:
        lines += _where_rejects_are(rejecting)
    return "\n".join(lines) + "\n"


def _noted(batch: LandedBatch) -> str:
    return f"; {batch.note}" if batch.note else ""


def _where_rejects_are(batch_ids: Iterable[str]) -> list[str]:
    return [
        "",
        "## Rejected rows",
        "",
        "They are kept whole. Correct them at the source and deliver the file again.",
        "",
        "```sql",
        "select file, line, reason, convert_from(content, 'UTF8') as content",
        f"from ops.rejects where batch_id in ({', '.join(batch_ids)}) order by file, line, part;",
        "```",
    ]


def _row(batch: LandedBatch) -> str:
    cells = (
        *(batch.object, batch.file.replace("|", "\\|"), batch.batch_id or ""),
        *(f"{batch.extracted:,}", f"{batch.landed:,}", f"{batch.rejected:,}"),
        *(_changes(batch.drift), _result(batch)),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _changes(drift: Iterable[ColumnDrift]) -> str:
    return ", ".join(
        f"{one.change} {one.column}" + (f" ({one.detail})" if one.detail else "") for one in drift
    )


def _result(batch: LandedBatch) -> str:
    if batch.refusal:
        return "refused"
    return "unchanged" if batch.unchanged else "landed"
