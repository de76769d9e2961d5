"""CRM against ERP as people see it: the waterfall from one total to the other, and what it says."""

from flows.reconciliation.report import report, waterfall_page

__all__ = ["report", "waterfall_page"]
