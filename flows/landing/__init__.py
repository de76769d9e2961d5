"""Rows into raw, exactly as received, with their batch; cursor and rows commit together."""

from flows.landing import report
from flows.landing.batches import ColumnDrift, LandedBatch
from flows.landing.load import land_connection

__all__ = ["ColumnDrift", "LandedBatch", "land_connection", "report"]
