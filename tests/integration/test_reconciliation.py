"""CRM against ERP: the planted differences are found to the cent, each with its cause."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from flows import identity, reconciliation
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.sandbox.deals import LINE_CAUSES
from flows.sandbox.truth import CompanyTruth
from tests.integration.staged_company import staged_company

MARTS = "+path:models/marts/reconciliation,path:models/marts"
INTEGRITY = [
    "path:models/marts/reconciliation,test_type:data",
    "the_waterfall_leads_from_the_crm_to_the_erp",
    "the_waterfall_ends_at_the_orders_that_count",
    "every_order_and_every_line_is_reconciled_once",
]
Found = tuple[str, str | None, str | None, int | None, str, Decimal]


@pytest.fixture(scope="module")
def truth(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CompanyTruth]:
    """Stage the sandbox company and reconcile it, once for this module."""
    home = tmp_path_factory.mktemp("reconciled")
    with staged_company(postgres_server, migrated_template, home) as (run_id, planted):
        run_dbt(["run", "--select", "path:models/identity"])
        identity.assign(run_id)
        run_dbt(["run", "--select", MARTS], slot="a")
        yield planted


def rows(query: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()


def found_differences() -> Counter[Found]:
    """Return what the marts found: by line where a line differs, else by order."""
    amounts: Counter[tuple[Any, ...]] = Counter()
    for cause, order, sale, line, currency, amount in rows(
        "select cause, order_number, crm_document_number, erp_line_number, currency, amount "
        "from marts_a.reconciliation_differences where amount <> 0"
    ):
        amounts[cause, order, sale, line if cause in LINE_CAUSES else None, currency] += amount
    return Counter((*key, amount) for key, amount in amounts.items())


def test_every_planted_difference_is_found_with_its_cause_and_amount_and_no_other(
    truth: CompanyTruth,
) -> None:
    planted = Counter(
        (
            known.cause,
            known.order_number,
            known.crm_order_number,
            known.line_number,
            known.currency,
            known.difference_amount,
        )
        for known in truth.order_differences
        if known.difference_amount != 0
    )
    assert found_differences() == planted


def test_every_pair_has_the_cause_that_was_planted_in_it(truth: CompanyTruth) -> None:
    planted = Counter(known.cause for known in truth.order_differences)
    found = rows(
        "select cause, count(*) from marts_a.order_reconciliation "
        "where cause is not null group by 1"
    )
    assert dict(found) == dict(planted)
    assert rows(
        "select count(*) from marts_a.order_reconciliation where cardinality(causes) > 1"
    ) == [(0,)]


def test_nothing_is_unexplained_and_the_waterfall_ties_out(truth: CompanyTruth) -> None:
    run_dbt(["test", "--select", *INTEGRITY], slot="a")
    (total,) = rows("select sum(unexplained_amount), count(*) from marts_a.order_reconciliation")
    assert total[0] == Decimal(0)
    assert total[1] >= len(truth.order_differences)


def test_the_waterfall_is_shown_as_pictures_that_add_up(truth: CompanyTruth) -> None:
    with connect() as connection:
        page = reconciliation.waterfall_page(connection, "marts_a")
        said = reconciliation.report(connection, "marts_a")
    pictures = re.findall(r"<svg.*?</svg>", page)
    assert len(pictures) > 12
    assert all(ET.fromstring(one).tag.endswith("svg") for one in pictures)  # noqa: S314 - ours
    assert set(re.findall(r"Unexplained: (\S+) EUR", page)) == {"0.00"}
    assert "Unexplained: 0.00 EUR" in said
    causes = {known.cause for known in truth.order_differences} - {"timing"}
    assert causes <= set(re.findall(r"\w+", said))
    assert not re.search(r"(src|href)=", page)
