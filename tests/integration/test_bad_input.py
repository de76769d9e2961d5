"""Every kind of bad input has an outcome: kept, kept and flagged, or held with its document."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows import gates, identity, staging
from flows.core.dbt import run_dbt, seed_if_changed
from flows.core.warehouse import connect
from flows.gates import Verdict
from tests.fixtures.postgres import forget_settings, new_database
from tests.integration.landing import land
from tests.integration.staged import new_run

Rows = dict[str, list[dict[str, Any]]]


def _order(key: str, **values: Any) -> Rows:
    """An order of ten for 100 with its line, and the invoice of it."""
    head: dict[str, Any] = {"order_id": key, "order_number": key, "customer_id": "C1"}
    head |= {"order_date": "2026-03-01", "currency": "EUR", "net_amount": 100, "status": "closed"}
    head |= {"company": None}
    line: dict[str, Any] = {"order_line_id": f"{key}-1", "order_id": key, "product_number": "A"}
    line |= {"quantity": 10, "unit_price": 10, "net_amount": 100}
    changed = {name: value for name, value in values.items() if name in head}
    of_line = {name: value for name, value in values.items() if name in {*line, "discount_pct"}}
    return {"orders": [{**head, **changed}], "order_lines": [{**line, **of_line}]}


def _invoice(key: str, order_id: str, **values: Any) -> Rows:
    head: dict[str, Any] = {"invoice_id": key, "invoice_number": key, "customer_id": "C1"}
    head |= {"order_id": order_id, "type": "invoice", "invoice_date": "2026-03-02"}
    head |= {"currency": "EUR", "net_amount": 100, **values}
    line = {"invoice_line_id": f"{key}-1", "invoice_id": key, "product_number": "A"}
    line |= {"order_line_id": f"{order_id}-1", "unit_price": 10}
    amount = head["net_amount"]
    return {
        "invoices": [head],
        "invoice_lines": [{**line, "quantity": amount / 10, "net_amount": amount}],
    }


def _only(entity: str, rows: Rows) -> Rows:
    return {entity: rows[entity]}


def _shop() -> Iterator[Rows]:
    yield {"customers": [{"customer_id": "C1", "name": "Firma", "currency": "EUR"}]}
    yield {
        "fx_rates": [
            {"currency": "USD", "rate_date": "2026-01-01", "reporting_currency": "EUR", "rate": 0.5}
        ]
    }
    # So many sound documents that a few bad ones do not stop the batch.
    for number in range(60):
        yield _order(f"good{number}")
        yield _invoice(f"good{number}", f"good{number}")
    yield _only("order_lines", _order("no_head"))
    yield _only("orders", _order("no_lines"))
    yield _order("late", order_date="2026-03-09")
    yield _invoice("early", "late")
    yield _order("free", unit_price=0, net_amount=0)
    yield _order("negative_price", unit_price=-10, net_amount=-100)
    yield _order("zero_quantity", quantity=0, net_amount=0)
    yield _order("given_away", discount_pct=100, net_amount=0)
    yield _order("more_than_all", discount_pct=110, net_amount=-10)
    yield _order("credited")
    yield _invoice("before_credit", "credited")
    yield _invoice(
        "credit", "credited", type="credit_note", reason="other", net_amount=-150,
        corrects_invoice_id="before_credit",
    )  # fmt: skip
    yield _order("twin_no", order_number="4711", company="NO")
    yield _order("twin_de", order_number="4711", company="DE")
    yield _order("no_rate", currency="NOK")
    yield _order("year_1900", order_date="1900-01-01")
    yield _order("year_2999", order_date="2999-12-31")
    yield _order("huge", net_amount=10**15)
    yield _order("wrong_total", net_amount=100)
    yield _order("cancelled", status="cancelled")
    yield _order("unknown_customer", customer_id="C404")
    yield _order("no_customer", customer_id=None)
    yield _invoice("of_nothing", "O404")


def _write(folder: Path) -> None:
    files: dict[str, list[dict[str, Any]]] = {}
    for rows in _shop():
        for entity, some in rows.items():
            files.setdefault(entity, []).extend(some)
    [wrong] = [row for row in files["order_lines"] if row["order_id"] == "wrong_total"]
    wrong["net_amount"] = 90
    # Keys that come twice are one record, however often an export repeats them.
    files["orders"].append(dict(files["orders"][0]))
    files["order_lines"].append(dict(files["order_lines"][0]))
    folder.mkdir()
    for entity, some in files.items():
        text = "".join(f"{json.dumps(row)}\n" for row in some)
        (folder / f"{entity}.jsonl").write_text(text, encoding="utf-8")


def _integrate(folder: Path, marts: str = "path:models/marts") -> tuple[int, Verdict]:
    """Take a folder all the way to the marts; return the run and what the first gate said."""
    land(folder)
    run_id = new_run()
    plan = staging.plan_of_work(full=False)
    seed_if_changed()
    run_dbt(["run", "--select", "incoming_documents", *[f"incoming_{e}" for e in plan.entities]])
    raw = gates.judge("raw", run_id=run_id)
    run_dbt(["run", "--select", "path:models/staging"])
    with connect() as connection:
        staging.mark_staged(connection)
        staging.settle_reporting_currency(connection)
    identity.standardise(run_id)
    run_dbt(["run", "--select", "path:models/identity"])
    identity.assign(run_id)
    run_dbt(["run", "--select", marts], slot="a")
    return run_id, raw


@pytest.fixture(scope="module")
def verdicts(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Verdict, Verdict]]:
    """The bad input, landed, judged, staged and built once for all tests of this file."""
    folder = tmp_path_factory.mktemp("bad_input")
    with (
        new_database(postgres_server, migrated_template) as url,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("CONCORD_WAREHOUSE_URL", url)
        patch.setenv("CONCORD_HOME", str(folder / "home"))
        forget_settings()
        _write(folder / "erp")
        run_id, raw = _integrate(folder / "erp")
        yield raw, gates.judge("marts", run_id=run_id, slot="a")
    forget_settings()


def found(query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(query.encode(), values).fetchall()


def one(query: str, *values: object) -> tuple[Any, ...]:
    (row,) = found(query, *values)
    return row


def flags(key: str) -> set[str]:
    """Return the rules of either gate that list a document or a line of it."""
    listed = "select rule from ops.failures where source_key in (%s, %s, %s)"
    return {rule for (rule,) in found(listed, key, f"{key}-1", f"erp|{key}")}


def held(document: str) -> bool:
    return bool(found("select from quarantine.rows where document_key = %s", document))


HELD: Mapping[str, str] = {
    "no_head": "header_is_present",
    "no_lines": "has_lines",
    "huge": "net_amount_is_plausible",
    "wrong_total": "lines_sum_to_header",
    "no_customer": "customer_id_is_present",
}
FLAGGED: Mapping[str, str] = {
    "early": "invoice_follows_its_order",
    "negative_price": "unit_price_is_in_range",
    "more_than_all": "discount_pct_is_in_range",
    "credit": "credit_stays_within_its_invoice",
    "no_rate": "amount_is_converted",
    "year_1900": "order_date_is_plausible",
    "year_2999": "order_date_is_plausible",
    "unknown_customer": "customer_is_present",
}
KEPT = ("free", "zero_quantity", "given_away", "twin_no", "twin_de", "late", "cancelled")
Verdicts = tuple[Verdict, Verdict]


def test_bad_rows_stop_neither_their_batch_nor_the_publication(verdicts: Verdicts) -> None:
    raw, marts = verdicts
    assert (raw.is_refused, raw.reasons) == (False, ())
    assert (marts.is_refused, marts.reasons) == (False, ())


@pytest.mark.parametrize(("document", "rule"), HELD.items())
def test_what_would_falsify_a_total_is_held_with_its_document(
    verdicts: Verdicts, document: str, rule: str
) -> None:
    assert held(document)
    assert rule in flags(document)
    assert found("select from marts_a.orders where order_id = %s", document) == []
    assert found("select from marts_a.order_lines where order_id = %s", document) == []


@pytest.mark.parametrize(("document", "rule"), FLAGGED.items())
def test_what_is_odd_but_possible_is_kept_and_flagged(
    verdicts: Verdicts, document: str, rule: str
) -> None:
    assert not held(document)
    assert rule in flags(document)
    kept = "select from marts_a.{0}s where {0}_id = %s"
    assert found(kept.format("order"), document) or found(kept.format("invoice"), document)


@pytest.mark.parametrize("document", KEPT)
def test_what_is_allowed_is_kept(verdicts: Verdicts, document: str) -> None:
    assert not held(document)
    assert one("select count(*) from marts_a.orders where order_id = %s", document) == (1,)


def test_no_total_is_silently_wrong(verdicts: Verdicts) -> None:
    """The marts' sums are those of the documents that were not held, each counted once."""
    rows = list(_shop())
    wanted = sum(
        row["net_amount"] for some in rows for row in some.get("orders", [])
        if row["order_id"] not in HELD
    )  # fmt: skip
    assert one("select sum(net_amount) from marts_a.orders") == (wanted,)
    assert one("select sum(net_amount) from marts_a.order_lines") == (wanted,)
    billed = sum(row["net_amount"] for some in rows for row in some.get("invoices", []))
    assert one("select sum(net_amount) from marts_a.invoices") == (billed,)
    unconverted = (
        "select order_id, net_amount from marts_a.orders where net_amount_reporting is null"
    )
    assert found(unconverted) == [("no_rate", 100)]


def test_what_is_left_shows_in_the_ledger_and_the_statuses(verdicts: Verdicts) -> None:
    statuses = dict(
        found("select order_id, billing_status from marts_a.orders where order_id !~ '^good[1-9]'")
    )
    assert statuses["good0"] == "invoiced"
    assert statuses["free"] == statuses["given_away"] == "free_of_charge"
    assert statuses["zero_quantity"] == "nothing_ordered"
    assert statuses["cancelled"] == "cancelled"
    over = found(
        "select to_document_id, step, quantity from marts_a.quantity_flow where state = 'over' "
        "and step in ('order_to_invoice', 'invoice_to_credit') order by 1"
    )
    assert over == [("credit", "invoice_to_credit", 5), ("of_nothing", "order_to_invoice", 10)]
    outcomes = dict(found("select match_id, outcome from marts_a.document_match"))
    assert outcomes["invoice_line|erp|of_nothing-1"] == "over_invoiced"
    assert outcomes["order_line|erp|twin_no-1"] == "missing_invoice"
    assert outcomes["order_line|erp|late-1"] == "missing_quote"


def test_one_number_in_two_companies_is_two_orders(verdicts: Verdicts) -> None:
    twins = "select order_id, company from marts_a.orders where order_number = '4711' order by 1"
    assert found(twins) == [("twin_de", "DE"), ("twin_no", "NO")]


def test_a_line_goes_on_once_its_order_arrives(verdicts: Verdicts, tmp_path: Path) -> None:
    late = tmp_path / "erp"
    late.mkdir()
    row = _order("no_head")["orders"][0]
    (late / "orders.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    _, raw = _integrate(late, "+order_lines,path:models/marts")
    assert not raw.is_refused
    assert one("select net_amount from marts_a.order_lines where order_id = 'no_head'") == (100,)
