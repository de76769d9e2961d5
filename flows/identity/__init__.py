"""Who is who: stable ids over the records of every CRM and ERP."""

from flows.identity.assignment import IdentityChanges, assign, assign_customers
from flows.identity.matching import MatchChanges, match

__all__ = ["IdentityChanges", "MatchChanges", "assign", "assign_customers", "match"]
