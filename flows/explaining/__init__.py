"""Explains published values: the rows, raw payloads, rules and rulings behind them."""

from flows.explaining.catalogue import refresh
from flows.explaining.explanation import Cell, Explanation, explain
from flows.explaining.page import build_page
from flows.explaining.text import as_text

__all__ = ["Cell", "Explanation", "as_text", "build_page", "explain", "refresh"]
