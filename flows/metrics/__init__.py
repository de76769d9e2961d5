"""What the numbers mean: the semantic layer and the catalogue of metrics."""

from flows.metrics import catalogue
from flows.metrics.command import run_mf
from flows.metrics.semantics import MetricFlow, write_mf_project

__all__ = ["MetricFlow", "catalogue", "run_mf", "write_mf_project"]
