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
        land_changes()
        run_dbt(["run", "--select", "path:models/identity"])
        identity.assign(run_id)
        models = ["+integration_scorecard,path:models/marts", "customer_field_conflicts"]
        run_dbt(["run", "--select", *models], slot="a")
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


def land_changes() -> None:
    """Let twenty orders have changed 0 to 19 minutes before they landed, one five after it."""
    with connect() as connection:
        batches = connection.execute(
            "insert into ops.batches (connection, object, entities, extracted_count, "
            "landed_count, accepted_count, quarantined_count, status, landed_at) "
            "select 'erp', 'orders', '{orders}', 1, 1, 1, 0, 'staged', "
            "'2026-03-02 12:00+00'::timestamptz from generate_series(1, 2) returning batch_id"
        ).fetchall()
        connection.execute(
            "update staging.orders as one set batch_id = %s, modified_at = "
            "'2026-03-02 12:00+00'::timestamptz - make_interval(mins => place) from "
            "(select source_key, case row_number() over (order by source_key) when 21 then -5 "
            "else row_number() over (order by source_key) - 1 end::integer as place "
            "from staging.orders order by source_key limit 21) as other "
            "where one.source_key = other.source_key",
            (max(number for (number,) in batches),),
        )


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


def test_latencies_are_of_all_changes_and_leave_out_clocks_that_differ(
    truth: CompanyTruth,
) -> None:
    march = date(2026, 3, 1)
    assert math.isclose(scorecard("sync_latency_p50")[march], 9.5)
    assert math.isclose(scorecard("sync_latency_p95")[march], 18.05)
    assert rows("select count(*) from marts_a.sync_latencies where is_negative") == [(1,)]


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
        "select distinct metric, value, reason from marts_a.integration_scorecard "
        "where metric in ('cost_per_order', 'pocket_price_realisation', 'copy_success_rate')"
    )
    assert {value for _, value, _ in found} == {None}
    reasons = {metric: reason for metric, _, reason in found}
    assert reasons == {
        "cost_per_order": "not landed: any row of metric_process_costs.csv",
        "pocket_price_realisation": "not landed: any row of metric_off_invoice_costs.csv",
        "copy_success_rate": "nothing is written back to another system so none of the rows was "
        "due",
    }


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


def test_payments_that_name_their_invoice_are_applied(truth: CompanyTruth) -> None:
    ((count, applied, without, sound),) = rows(
        "select count(*), count(*) filter (where is_applied), count(*) filter (where "
        "reason_not_applied is not null), bool_and(is_applied) filter (where exists (select from "
        "marts_a.invoices as invoice where invoice.source_system = payment.source_system and "
        "invoice.invoice_id = payment.invoice_id and invoice.erp_customer_id = "
        "payment.erp_customer_id and invoice.currency = payment.currency)) "
        "from marts_a.payment_metrics as payment"
    )
    assert count == applied + without > 0
    assert sound


def test_the_fields_that_differ_are_those_that_are_listed_as_conflicts(truth: CompanyTruth) -> None:
    listed = dict(
        rows("select field, count(*) from marts_a.customer_field_conflicts group by field")
    )
    measured = dict(
        rows(
            "select field, sum(differing_count)::int from marts_a.field_agreement "
            "where differing_count > 0 group by field"
        )
    )
    assert listed == measured != {}
    ((linked, both),) = rows(
        "select max(linked_count), (select count(*) from marts_a.customers where "
        "crm_record_count > 0 and erp_record_count > 0) from (select field, sum(linked_count) as "
        "linked_count from marts_a.field_agreement group by field) as fields"
    )
    assert linked == both


def test_the_score_of_a_month_follows_from_its_inputs(truth: CompanyTruth) -> None:
    found = rows(
        "select need.score::float8, sum(inputs.points * inputs.weight)::float8 / "
        "nullif(sum(inputs.weight) filter (where inputs.points is not null), 0)::float8 "
        "from marts_a.integration_need as need "
        "inner join marts_a.integration_need_inputs as inputs "
        "using (company, month) group by need.company, need.month, need.score"
    )
    assert len(found) > 12
    assert all(math.isclose(score, again, abs_tol=1e-4) for score, again in found)


def test_every_unit_in_use_has_a_warranty_that_ends(truth: CompanyTruth) -> None:
    ((units,), (covered,)) = rows(
        "select sum(units_in_use) from marts_a.purchased_products where units_in_use > 0 "
        "union all select sum(units_in_use) from marts_a.depot_warranties where "
        "warranty_ends_on is not null"
    )
    assert units == covered > 0


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
