"""Who is who: stable customer ids over the records of every CRM and ERP."""

from flows.identity.assignment import IdentityChanges, assign_customers

__all__ = ["IdentityChanges", "assign_customers"]
