"""Why a published value is what it is."""

from argparse import ArgumentParser, Namespace
from typing import Any

TEXT = "the rows, raw payloads, rules and rulings behind a published value"


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("table", metavar="TABLE", help="a table of the schema marts")
    parser.add_argument("key", metavar="KEY", help="its key, parts joined by | (erp|O1)")
    parser.add_argument("column", metavar="COLUMN", nargs="?", help="all columns when left out")


def explain(arguments: Namespace) -> dict[str, Any]:
    """Explain one value, or all values of a row."""
    from flows.core.migrations import migrate
    from flows.explaining import as_text
    from flows.explaining import explain as answer

    migrate()
    found = answer(arguments.table, arguments.key, arguments.column)
    return found.as_json() if arguments.json else {"text": as_text(found)}
