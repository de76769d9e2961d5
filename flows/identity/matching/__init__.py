"""The matching model: pairs of records that look alike, scored by Splink."""

from flows.identity.matching.ledger import MatchChanges
from flows.identity.matching.matching import match

__all__ = ["MatchChanges", "match"]
