"""Doubtful pairs as a file in which a person fills in the rulings."""

from pathlib import Path

from flows.core.warehouse import connect
from flows.identity.review import Doubt, doubtful_pairs
from flows.identity.review_page import hint, title
from flows.identity.rulings_file import COLUMNS, named, write_lines

HELP = ("probability", "value", "question", "what_is_known")


def export_doubtful(path: Path) -> int:
    """Write every doubtful pair, the most valuable first, ready to be ruled and imported."""
    with connect() as connection:
        doubts = doubtful_pairs(connection).doubts
    write_lines(path, (*COLUMNS, *HELP), (_line(doubt) for doubt in doubts))
    return len(doubts)


def _line(doubt: Doubt) -> dict[str, object]:
    return {
        "domain": doubt.domain,
        **named(doubt.left_record, "left"),
        **named(doubt.right_record, "right"),
        "probability": doubt.probability,
        "value": doubt.value,
        "question": title(doubt),
        "what_is_known": hint(doubt),
    }
