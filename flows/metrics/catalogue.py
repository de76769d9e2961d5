"""The metric catalogue: every metric of the semantic layer on one page that needs no network."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from flows.core.dbt import parsed_manifest, target_path
from flows.core.settings import settings

FILE = "metrics.html"
AGGREGATIONS = {
    "sum": "sum of {}",
    "max": "largest {}",
    "count_distinct": "number of different {}",
    "median": "median of {}",
    "percentile": "percentile {percentile} of {}",
}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color:#1c2733}h2{margin-top:2.5rem;border-bottom:1px solid #ccd5dd}"
    "article{margin:1.2rem 0;padding:.8rem 1rem;background:#f5f7f9;border-radius:6px}"
    "article:target{outline:2px solid #2563a8}h3{margin:0}h3 small{color:#5b6b7a;font-weight:400}"
    "dl{display:grid;grid-template-columns:9rem 1fr;margin:.4rem 0 0;gap:.1rem .8rem}"
    "dt{color:#5b6b7a}dd{margin:0}code{font-size:.92em}input{width:100%;padding:.5rem;font:inherit}"
)
SCRIPT = (
    "document.querySelector('input').addEventListener('input',e=>{const s=e.target.value"
    ".toLowerCase();document.querySelectorAll('article').forEach(a=>{a.hidden=!a.textContent"
    ".toLowerCase().includes(s)})})"
)


@dataclass(frozen=True)
class Metric:
    """What people have to know of a metric, as the page shows it."""

    name: str
    label: str
    description: str
    model: str
    facts: Mapping[str, str]


def build(folder: Path | None = None) -> Path:
    """Write the page and return where it is."""
    folder = folder or target_path()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(page([*metrics(parsed_manifest()), *unavailable()]), encoding="utf-8")
    return path


def metrics(manifest: Any) -> list[Metric]:  # noqa: ANN401 - dbt's own manifest type
    """Return every metric in the order of its mart and name."""
    found = {metric.name: metric for metric in manifest.metrics.values()}
    grains = {one.name: one.description or "" for one in manifest.semantic_models.values()}
    listed = [_described(metric, found, grains) for metric in found.values()]
    return sorted(listed, key=lambda metric: (metric.model, metric.name))


def unavailable() -> list[Metric]:
    """Return the metrics that the data does not allow, with what is missing."""
    path = settings().dbt_project / "seeds" / "rules" / "metric_unavailable.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Metric(
                row["metric"],
                row["name"],
                f"Not known: {row['reason']}.",
                "not available",
                {"unit": row["unit"], "owner": row["owner"]},
            )
            for row in csv.DictReader(file)
        ]


def page(listed: Iterable[Metric]) -> str:
    """Return the page as HTML."""
    by_model: dict[str, list[Metric]] = {}
    for metric in listed:
        by_model.setdefault(metric.model, []).append(metric)
    sections = "".join(_section(model, members) for model, members in by_model.items())
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Metrics</title>"
        f"<style>{STYLE}</style></head><body><h1>Metrics</h1>"
        "<p>Made from the descriptions beside the marts. Add numerators and denominators, "
        "never ratios. Values by month are in <code>marts.integration_scorecard</code>.</p>"
        f"<input placeholder='Find a metric' aria-label='Find a metric'>{sections}"
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _section(model: str, members: Iterable[Metric]) -> str:
    return f"<h2>{escape(model)}</h2>" + "".join(map(_article, members))


def _article(metric: Metric) -> str:
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in metric.facts.items()
        if value
    )
    return (
        f"<article id='{escape(metric.name)}'><h3>{escape(metric.label)} "
        f"<small><code>{escape(metric.name)}</code></small></h3>"
        f"<p>{escape(metric.description)}</p><dl>{facts}</dl></article>"
    )


def _described(metric: Any, found: Mapping[str, Any], grains: Mapping[str, str]) -> Metric:  # noqa: ANN401
    meta = metric.config.meta
    simple = _first_simple(metric, found).type_params.metric_aggregation_params
    parameters = metric.type_params
    is_ratio = parameters.numerator is not None
    facts = {
        "formula": _formula(metric),
        "numerator": parameters.numerator.name if is_ratio else str(meta.get("counted", "")),
        "denominator": parameters.denominator.name if is_ratio else str(meta.get("counts", "")),
        "unit": str(meta.get("unit", "")),
        "grain": grains.get(simple.semantic_model, "").strip().split(".")[0],
        "date": f"{simple.agg_time_dimension} ({meta.get('basis', 'period')})",
        "complete after": f"{meta['maturity_days']} days" if "maturity_days" in meta else "",
        "exclusions": str(meta.get("exclusions", "")),
        "needs": ", ".join(meta.get("requires", ())),
        "interval": str(meta.get("interval", "")),
        "standard": str(meta.get("standard", "")),
        "owner": str(meta.get("owner", "")),
    }
    return Metric(metric.name, metric.label, metric.description, simple.semantic_model, facts)


def _formula(metric: Any) -> str:  # noqa: ANN401 - dbt's own metric type
    parameters = metric.type_params
    if parameters.numerator is not None:
        return f"{parameters.numerator.name} / {parameters.denominator.name}"
    if parameters.metrics:
        return str(parameters.expr)
    aggregation = parameters.metric_aggregation_params
    template = AGGREGATIONS[str(aggregation.agg.value)]
    return template.format(parameters.expr, percentile=aggregation.agg_params.percentile)


def _first_simple(metric: Any, found: Mapping[str, Any]) -> Any:  # noqa: ANN401 - dbt's metric type
    """Return the metric itself, or the first one that it is computed from, down to a simple one."""
    while metric.type_params.metric_aggregation_params is None:
        inputs = [metric.type_params.numerator, *(metric.type_params.metrics or ())]
        metric = found[next(one.name for one in inputs if one is not None)]
    return metric
