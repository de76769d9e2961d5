"""Who is who: stable ids over the records of every CRM and ERP."""

from flows.identity.assignment import IdentityChanges, assign
from flows.identity.matching import MatchChanges, match
from flows.identity.pending import is_pending, records_are_outdated, remember_signatures
from flows.identity.records import compute_records
from flows.identity.rulings import taking_effect
from flows.identity.standardise import standardise

MATCHED_DOMAINS = ("customers", "contacts")

__all__ = [
    "MATCHED_DOMAINS",
    "IdentityChanges",
    "MatchChanges",
    "assign",
    "compute_records",
    "is_pending",
    "match",
    "records_are_outdated",
    "remember_signatures",
    "standardise",
    "taking_effect",
]
