"""The matching model: pairs of records that look alike, scored by Splink."""

from flows.identity.matching.matching import MatchChanges, match

__all__ = ["MatchChanges", "match"]
