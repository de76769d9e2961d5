"""What settles identity again though nothing has landed: a ruling, an edited rule or model."""

from psycopg import Connection

from flows.core.signature import remember, remembered, signature
from flows.core.warehouse import connect
from flows.identity import rulings

RECORDS, RULES = "identity_records_signature", "identity_rules_signature"
# What no record depends on, by the beginnings of the files' names.
WITHOUT_RECORDS = (
    "field_ownership",
    "incoming",
    "integrity",
    "keep_apart",
    "marts_",
    "match_",
    "rules",
    "staging",
    "tolerances",
)


def records_are_outdated(connection: Connection) -> bool:
    """Say whether the records as compared were computed by other models than these."""
    return remembered(connection, RECORDS) not in (None, _records())


def is_pending() -> bool:
    """Say whether people ruled, or edited rules or models, since identity was last settled."""
    with connect(application="concord identity") as connection:
        return (
            records_are_outdated(connection)
            or remembered(connection, RULES) not in (None, signature("seeds/rules"))
            or rulings.are_unapplied(connection)
        )


def remember_signatures(connection: Connection) -> None:
    """Note that identity is settled by what the project says now."""
    remember(connection, RECORDS, _records())
    remember(connection, RULES, signature("seeds/rules"))


def _records() -> str:
    folders = ("macros", "functions", "seeds", "models/identity")
    return signature(*folders, without=WITHOUT_RECORDS)
