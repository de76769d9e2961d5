"""What staging and the marts are made of, so that a changed model or rule rebuilds them."""

from psycopg import Connection

from flows.core.signature import remember, remembered, signature

KEY = "staging_signature"
MATCHING_RULES = ("match_", "keep_apart")
# What only later stages read, by the beginnings of the files' names.
AFTER_STAGING = (
    "identity_",
    "marts_",
    "document_tolerances",
    "field_ownership",
    "free_mail_domains",
    "kit_parts",
    "legal_forms",
    "metric",
    "discount_policy",
    "nicknames",
    "product_substitutions",
    "reconciliation",
    "unit_conversions",
    *MATCHING_RULES,
)


def staging_signature() -> str:
    """Return the signature of everything that decides what staging contains."""
    folders = ("macros", "seeds", "models/incoming", "models/staging")
    return signature(*folders, without=AFTER_STAGING)


def marts_signature(currency: str) -> str:
    """Return the signature of everything that decides what the marts contain, currency included.

    Which records are one customer is not part of it: the crosswalk says so row by row.
    """
    folders = ("macros", "functions", "seeds", "models/marts")
    return f"{signature(*folders, without=MATCHING_RULES)}-{currency}"


def staging_is_outdated(connection: Connection) -> bool:
    """Say whether the staging tables were built by other models than these."""
    return remembered(connection, KEY) not in (None, staging_signature())


def remember_signature(connection: Connection) -> None:
    """Note that the staging tables are now what these models say."""
    remember(connection, KEY, staging_signature())
