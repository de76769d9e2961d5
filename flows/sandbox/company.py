"""Write a small international company as the extracts of its CRM and its ERP, day by day."""

from datetime import date
from pathlib import Path

from flows.sandbox.assembly import make_company
from flows.sandbox.days import write_day_of_changes
from flows.sandbox.extract import write
from flows.sandbox.spoilt import write_refused_batch, write_repair
from flows.sandbox.truth import CompanyTruth, write_customer_pairs, write_truth
from flows.sandbox.world import Plan

__all__ = ["write_company", "write_day_of_changes", "write_refused_batch", "write_repair"]

DEFAULT_AS_OF = date(2026, 10, 30)


def write_company(
    folder: Path, *, seed: int = 7, scale: float = 1.0, as_of: date | None = None
) -> CompanyTruth:
    """Write `crm/` and `erp/` and, beside them, what was planted in them.

    The same arguments always give the same bytes.
    """
    world, truth = make_company(Plan(seed, scale, as_of or DEFAULT_AS_OF))
    write(world.extract, folder)
    write_truth(truth, folder)
    write_customer_pairs(truth, folder)
    return truth
