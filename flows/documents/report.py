"""What a person has to know about sealed documents."""

from psycopg import Connection

from flows.documents.seals import Breach, SealReport, open_breaches

LISTED = 50
ADVICE = """
The seal keeps what each document was; the marts show what it is now, and
`marts.sealed_document_breaches` has both. Ask whoever changed a closed document why. If the change
stands: `concord seals accept NUMBER --by NAME --note REASON`. If not: take it back in the source
system, and the next run closes the breach.
"""


def markdown(connection: Connection, sealed: SealReport) -> str:
    """Return the page of an artifact: which sealed documents changed, and what to do."""
    breaches = open_breaches(connection)
    lines = [
        "| breach | document | system | found | what |",
        "|---:|---|---|---|---|",
        *map(_line, breaches[:LISTED]),
    ]
    more = len(breaches) - LISTED
    rest = [f"\n{more:,} more: `select * from marts.sealed_document_breaches`"] if more > 0 else []
    return "\n".join(["# Sealed documents", "", sealed.text, "", *lines, *rest, ADVICE])


def _line(breach: Breach) -> str:
    name = f"{breach.document_type} {breach.document_number or breach.document_id}"
    what = "is gone" if breach.has_vanished else "changed"
    return (
        f"| {breach.breach_id} | {name} | {breach.source_system} "
        f"| {breach.found_at:%Y-%m-%d %H:%M} | {what} |"
    )
