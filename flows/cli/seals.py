"""Sealed documents at the command line: what changed, and letting a change stand."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any


def show(_: Namespace) -> dict[str, Any]:
    """Return the sealed documents that changed and wait for a steward."""
    from flows import documents
    from flows.core.warehouse import connect

    with connect() as connection:
        breaches = documents.open_breaches(connection)
    lines = [
        f"  {one.breach_id:>6}  {one.source_system} {one.document_type} "
        f"{one.document_number or one.document_id}, found {one.found_at:%Y-%m-%d %H:%M}"
        f"{', gone' if one.has_vanished else ''}"
        for one in breaches
    ]
    text = "\n".join(lines) or "No sealed document has changed."
    return {"breaches": [asdict(one) for one in breaches], "text": text}


def accept(arguments: Namespace) -> dict[str, Any]:
    """Let a change of a sealed document stand; the old content is kept."""
    from flows import documents
    from flows.core.warehouse import connect

    with connect() as connection:
        documents.accept_breach(
            connection, arguments.breach, decided_by=arguments.by, note=arguments.note
        )
    return {"breach": arguments.breach, "text": f"Breach {arguments.breach} is accepted."}
