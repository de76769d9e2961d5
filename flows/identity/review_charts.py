"""Splink's charts of what a steward is asked: the model's weights, and each pair's waterfall."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from psycopg import Connection

from flows.identity.matching.domains import DOMAINS, Features, weights_of
from flows.identity.matching.scoring import Model
from flows.identity.review import Doubt
from flows.identity.review_page import title

PRIOR, TOTAL = "Prior match weight", "Final score"
NO_FEATURES = Features((), (), frozenset())
POPULATION = """
    select population from identity.scored_runs where domain = %s order by version desc limit 1
"""


@dataclass(frozen=True)
class Bar:
    """One bar of Splink's waterfall chart, named as the chart names its data."""

    record_number: int
    bar_sort_order: int
    column_name: str
    label_for_charts: str
    log2_bayes_factor: float
    bayes_factor: float
    value_l: str = ""
    value_r: str = ""
    sql_condition: str | None = None
    comparison_vector_value: int | None = None
    bayes_factor_description: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return what the chart is given."""
        return asdict(self)


def waterfall(doubts: Sequence[Doubt]) -> str | None:
    """Return Splink's waterfall chart of the scored pairs as a page; None when none is scored."""
    from splink.internals.charts import WaterfallChart  # noqa: PLC0415 - slow to import

    scored = [doubt for doubt in doubts if doubt.weights and doubt.match_weight is not None]
    if not scored:
        return None
    bars = [bar for number, doubt in enumerate(scored) for bar in _bars(number, doubt)]
    chart = WaterfallChart(bars, filter_nulls=False)
    return chart.to_html(inline=True)


def match_weights(connection: Connection, domain: str) -> str | None:
    """Return Splink's chart of a model's match weights as a page; None without such a model."""
    row = connection.execute(POPULATION, (domain,)).fetchone()
    if row is None or domain not in DOMAINS:
        return None
    one = DOMAINS[domain]
    model = Model(one, weights_of(one), NO_FEATURES, int(row[0]), 0.0)
    settings = model.settings().get_settings("duckdb")
    page: str = settings.match_weights_chart().to_html(inline=True)  # type: ignore[no-untyped-call]
    return page


def _bars(number: int, doubt: Doubt) -> Iterator[Bar]:
    total = doubt.match_weight or 0.0
    prior = total - sum(doubt.weights.values())
    yield Bar(number, 0, PRIOR, "before anything is compared", prior, 2.0**prior)
    for place, (name, bits) in enumerate(sorted(doubt.weights.items()), 1):
        left, right = (str(values.get(name, "")) for values in (doubt.left, doubt.right))
        yield Bar(number, place, name, doubt.levels.get(name, ""), bits, 2.0**bits, left, right)
    last = len(doubt.weights) + 1
    yield Bar(number, last, TOTAL, title(doubt), total, 2.0**total)
