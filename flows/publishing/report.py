"""What a publication changed, as a short table for people."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from flows.publishing.ledger import TableDifference
from flows.publishing.publication import Publication

HEAD = ("| table | rows | change | sums | change |", "|---|---:|---:|---|---|")


def markdown(publication: Publication) -> str:
    """Return the publication as Markdown: one line per table, then what analysts should know."""
    return "\n".join(
        [_title(publication), "", *table_lines(publication.tables), *_notes(publication)]
    )


def table_lines(differences: Iterable[TableDifference]) -> list[str]:
    """Return the Markdown table of the differences."""
    return [*HEAD, *map(_line, differences)]


def _title(publication: Publication) -> str:
    done = "Rolled back to" if publication.kind == "rollback" else "Published"
    again = ", which was already live: nothing changed" if publication.is_unchanged else ""
    return (
        f"{done} slot {publication.slot}, version {publication.version} "
        f"(publication {publication.publication_id}){again}."
    )


def _line(difference: TableDifference) -> str:
    change = difference.row_count_change
    cells = (
        difference.table,
        f"{difference.row_count:,}",
        "new" if change is None else f"{change:+,}",
        _amounts(difference.sums, ",.2f"),
        _amounts(difference.sum_changes, "+,.2f"),
    )
    return f"| {' | '.join(cells)} |"


def _amounts(amounts: Mapping[str, Decimal], spelling: str) -> str:
    return "<br>".join(f"{name} {amount:{spelling}}" for name, amount in amounts.items())


def _notes(publication: Publication) -> list[str]:
    notes = [
        ("New columns", publication.added_columns),
        ("Kept as nulls, for this slot lacks them", publication.filled_columns),
        ("Analysts' views dropped", [view.view_name for view in publication.dropped_views]),
    ]
    return [
        line for title, names in notes if names for line in ("", f"{title}: {', '.join(names)}.")
    ]
