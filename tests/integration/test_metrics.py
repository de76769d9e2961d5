"""The metrics of the sandbox company: the same by MetricFlow and in plain SQL, and true."""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from flows import identity
from flows.core.dbt import parsed_manifest, run_dbt
from flows.core.warehouse import connect
from flows.metrics import MetricFlow, catalogue, run_mf
from flows.sandbox.truth import CompanyTruth
from tests.integration.staged import keep_versions
from tests.integration.staged_company import staged_company

Z = 1.959964


@pytest.fixture(scope="module")
def truth(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CompanyTruth]:
    """Stage the sandbox company and build every metric of it, once for this module."""
    home = tmp_path_factory.mktemp("measured")
    with staged_company(postgres_server, migrated_template, home) as (run_id, planted):
        keep_history()
        run_dbt(["run", "--select", "path:models/identity"])
        identity.assign(run_id)
        run_dbt(["run", "--select", "+integration_scorecard,path:models/marts"], slot="a")
        yield planted


def keep_history() -> None:
    """Let every opportunity have been known, at nine tenths and an even chance, from its making."""
    with connect() as connection:
        for name in ("opportunities", "opportunity_lines"):
            keep_versions(connection, name)
        keep_versions(connection, "opportunities")
        connection.execute(
            "update staging.opportunity_versions set valid_from = created_at, "
            "amount = amount * 0.9, probability = 0.5, is_won = false, is_closed = false "
            "where raw_id <= (select max(raw_id) / 2 from staging.opportunity_versions)"
        )
        connection.execute("update staging.opportunity_line_versions set valid_from = created_at")


def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode(), values or None).fetchall()


def scorecard(metric: str) -> dict[date, float]:
    """Return the values that plain SQL has, by month."""
    found = rows(
        "select month, value::float8 from marts_a.integration_scorecard "
        "where metric = %s and value is not null",
        metric,
    )
    return dict(found)


def semantic_layer(engine: MetricFlow, metric: str) -> dict[date, float]:
    """Return the values that MetricFlow has, by month; it also sums what has no date."""
    found = rows(engine.sql([metric], ["metric_time__month"]))
    return {
        month.date(): float(value)
        for month, value in found
        if month is not None and value is not None
    }


def test_every_metric_is_the_same_in_metricflow_and_in_plain_sql(truth: CompanyTruth) -> None:
    engine = MetricFlow("marts_a")
    names = [metric.name for metric in parsed_manifest().metrics.values()]
    wrong = []
    for name in names:
        ours, theirs = scorecard(name), semantic_layer(engine, name)
        if ours.keys() != theirs.keys() or any(
            not math.isclose(ours[month], theirs[month], rel_tol=1e-6, abs_tol=1e-6)
            for month in ours
        ):
            wrong.append(name)
    assert wrong == []
    assert len(names) > 150
    assert sum(1 for name in names if scorecard(name)) > 150


def test_mf_answers_queries_and_finds_no_fault_in_the_semantic_models(
    truth: CompanyTruth, capfd: pytest.CaptureFixture[str]
) -> None:
    query = ("query", "--metrics", "perfect_order_rate", "--group-by", "metric_time__year")
    assert run_mf([*query, "--decimals", "6"], schema="marts_a") == 0
    ((found,),) = rows(
        "select sum(numerator) / sum(denominator) from marts_a.integration_scorecard "
        "where metric = 'perfect_order_rate' and month >= '2026-01-01'"
    )
    assert f"{found:.6f}".rstrip("0") in capfd.readouterr().out
    assert run_mf(["validate-configs"], schema="marts_a") == 0
    assert "(ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)" in capfd.readouterr().out


def test_what_is_null_says_why_and_nothing_else_does(truth: CompanyTruth) -> None:
    assert (
        rows(
            "select metric, month from marts_a.integration_scorecard "
            "where (value is null) is distinct from (reason is not null)"
        )
        == []
    ), "a null without a reason, or a reason without a null"


def test_a_metric_whose_source_nobody_delivers_is_null_with_that_reason(
    truth: CompanyTruth,
) -> None:
    found = rows(
        "select distinct value, reason from marts_a.integration_scorecard "
        "where metric = 'cost_per_order'"
    )
    assert {value for value, _ in found} == {None}
    assert any(reason.startswith("no process cost is landed") for _, reason in found)


def test_orphans_are_those_that_were_planted(truth: CompanyTruth) -> None:
    planted = Counter(known.cause for known in truth.order_differences)
    ((crm_orphans, erp_orphans),) = rows(
        "select sum(crm_sale_count - crm_linked_count), sum(erp_order_count - erp_linked_count) "
        "from marts_a.match_metrics"
    )
    assert crm_orphans == planted["missing_in_erp"]
    assert erp_orphans == planted["missing_in_crm"]


def test_receivables_end_at_what_the_erp_says_is_open(truth: CompanyTruth) -> None:
    assert (
        rows(
            "select abs(owed.amount - sum(invoices.open_amount_reporting)) < 0.05 "
            "from marts_a.invoices as invoices inner join ("
            "select distinct on (company) company, receivable_amount_reporting as amount "
            "from marts_a.receivables order by company, month desc) as owed using (company) "
            "group by company, owed.amount"
        )
        == [(True,)] * 3
    )


def test_discounts_leak_where_nobody_approved_or_where_a_price_was_planted(
    truth: CompanyTruth,
) -> None:
    found = rows(
        "select leakage_class, order_id, quote_line_id is null from marts_a.discount_leakage "
        "where leakage_amount > 0"
    )
    planted = {known.order_number for known in truth.order_differences}
    drifted = {order for name, order, _ in found if name == "quote_vs_order_drift"}
    unapproved = [is_unquoted for name, _, is_unquoted in found if name == "no_approval"]
    assert {name for name, *_ in found} == {"quote_vs_order_drift", "no_approval"}
    assert drifted <= planted
    assert unapproved
    assert all(unapproved), "who quotes more than ten per cent gets an approval in this company"


def test_intervals_of_shares_are_those_of_wilson(truth: CompanyTruth) -> None:
    """Both ends solve the equation by which they are defined."""
    found = rows(
        "select numerator::float8, denominator::float8, lower_bound::float8, upper_bound::float8 "
        "from marts_a.integration_scorecard where metric = 'touchless_order_rate' "
        "and denominator > 0"
    )
    assert found
    for above, below, lower, upper in found:
        for bound in (lower, upper):
            distance = Z * math.sqrt(max(bound * (1 - bound), 0) / below)
            assert math.isclose(abs(above / below - bound), distance, abs_tol=2e-5)
        assert lower <= above / below <= upper


def test_intervals_of_counts_cover_what_a_poisson_count_would(truth: CompanyTruth) -> None:
    """Neither end leaves more than a fortieth of the chance beyond the count, or much less."""
    found = rows(
        "select numerator::int, lower_bound::float8 * denominator::float8 / 1000, "
        "upper_bound::float8 * denominator::float8 / 1000 from marts_a.integration_scorecard "
        "where metric = 'complaint_rate_per_1000_orders' and numerator > 0"
    )
    assert found
    for count, lower, upper in found:
        assert 0.01 < 1 - _at_most(count - 1, lower) < 0.03
        assert 0.02 < _at_most(count, upper) < 0.03


def _at_most(count: int, mean: float) -> float:
    return sum(math.exp(-mean) * mean**n / math.factorial(n) for n in range(count + 1))


class _Articles(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "article":
            self.names.append(str(found["id"]))
        self.links += [str(found[name]) for name in ("src", "href") if name in found]


def test_the_catalogue_lists_every_metric_and_needs_no_network(truth: CompanyTruth) -> None:
    page = _Articles()
    page.feed(catalogue.build().read_text("utf-8"))
    in_scorecard = {name for (name,) in rows("select metric from marts_a.integration_scorecard")}
    assert sorted(page.names) == sorted(in_scorecard)
    assert page.links == []


def test_lines_that_disagree_are_those_with_another_quantity_or_unit(truth: CompanyTruth) -> None:
    planted = {
        (known.order_number, known.line_number)
        for known in truth.order_differences
        if known.cause in ("quantity", "unit")
    }
    ((disagreeing,),) = rows(
        "select sum(linked_line_count - agreeing_line_count) from marts_a.match_metrics"
    )
    assert disagreeing == len(planted)
