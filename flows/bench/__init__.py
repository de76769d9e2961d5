"""The performance budget, measured: ratios in one run, each with its limit beside it."""

from flows.bench.report import Figure, table
from flows.bench.scenario import measure

__all__ = ["Figure", "measure", "table"]
