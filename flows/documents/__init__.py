"""Completed documents under seal: what they were is kept, and a later change is shown."""

from flows.documents.report import markdown
from flows.documents.seals import Breach, SealReport, accept_breach, open_breaches, seal

__all__ = ["Breach", "SealReport", "accept_breach", "markdown", "open_breaches", "seal"]
