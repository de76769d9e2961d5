"""What the published marts must hold, as the marts suites describe it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.gates.unjudged import DEPENDS_ON

Node = dict[str, Any]


@dataclass(frozen=True)
class Mart:
    """A mart as its gate sees it: its key, whom its customers are, and its amounts."""

    key: tuple[str, ...]
    customer_id: bool = True
    customer_is_required: bool = False
    customer_filter: str = "mart.customer_id is not null"
    amount: str | None = None
    may_shrink_by: float = 0.1


SEAL_BREACHES = "sealed_document_breaches"
MARTS: Mapping[str, Mart] = {
    "customers": Mart(("customer_id",), customer_id=False),
    "customer_ids": Mart(("customer_id",), customer_id=False),
    "customer_crosswalk": Mart(
        ("crosswalk_id",), customer_is_required=True, customer_filter="mart.is_current"
    ),
    "customer_contacts": Mart(("customer_id", "contact_key")),
    "customer_addresses": Mart(("customer_id", "site_key")),
    # Systems that come to agree make it shrink, to nothing at best.
    "customer_field_conflicts": Mart(("customer_id", "field"), may_shrink_by=1.0),
    "contact_crosswalk": Mart(("crosswalk_id",), customer_id=False),
    "contact_ids": Mart(("contact_id",), customer_id=False),
    "products": Mart(("product_number",), customer_id=False),
    "product_crosswalk": Mart(("crosswalk_id",), customer_id=False),
    "product_ids": Mart(("product_id",), customer_id=False),
    "orders": Mart(("source_system", "order_id"), amount="net_amount"),
    "order_lines": Mart(("source_system", "order_line_id"), amount="net_amount"),
    "invoices": Mart(("source_system", "invoice_id"), amount="net_amount"),
    "invoice_lines": Mart(("source_system", "invoice_line_id"), amount="net_amount"),
    "shipments": Mart(("source_system", "shipment_id")),
    "returns": Mart(("source_system", "return_id")),
    "shipment_lines": Mart(("source_system", "shipment_line_id")),
    "return_lines": Mart(("source_system", "return_line_id"), amount="net_amount"),
    "exchange_rates": Mart(("source_system", "currency", "rate_date"), customer_id=False),
    "complaints": Mart(("source_system", "case_id")),
    "quotes": Mart(("source_system", "quote_id"), amount="net_amount"),
    "opportunities": Mart(("source_system", "opportunity_id"), amount="amount"),
    "order_reconciliation": Mart(("pair_key",)),
    "order_line_reconciliation": Mart(("line_key",), customer_id=False),
    # Systems that come to agree make these shrink, to nothing at best.
    "reconciliation_differences": Mart(("difference_key",), may_shrink_by=1.0),
    "order_match_proposals": Mart(("proposal_key",), may_shrink_by=1.0),
    "reconciliation_waterfall": Mart(("waterfall_key",), customer_id=False, may_shrink_by=1.0),
    "order_line_progress": Mart(("source_system", "order_line_id"), customer_id=False),
    "quantity_flow": Mart(("flow_id",), customer_id=False),
    "document_match": Mart(("match_id",)),
    "purchased_products": Mart(("depot_id",)),
    # What stewards accept makes it shrink, to nothing at best.
    SEAL_BREACHES: Mart(("seal_id",), customer_id=False, may_shrink_by=1.0),
    "calendar": Mart(("day",), customer_id=False),
    "order_metrics": Mart(("source_system", "order_id")),
    "invoice_metrics": Mart(("source_system", "invoice_id")),
    "complaint_metrics": Mart(("source_system", "case_id")),
    "receivables": Mart(("company", "month"), customer_id=False),
    "quote_metrics": Mart(("source_system", "quote_chain")),
    "discount_leakage": Mart(("source_system", "order_line_id")),
    "opportunity_history": Mart(("source_system", "raw_id"), customer_id=False),
    "match_metrics": Mart(("month", "company", "currency"), customer_id=False),
    "pipeline_health": Mart(("run_id",), customer_id=False),
    "payment_metrics": Mart(("source_system", "payment_id")),
    "sync_latencies": Mart(("source_system", "order_id"), customer_id=False),
    "depot_warranties": Mart(("depot_id",)),
    "sealed_documents": Mart(("source_system", "document_type", "day"), customer_id=False),
    "source_freshness": Mart(("source_system", "entity"), customer_id=False),
    "mart_freshness": Mart(("mart",), customer_id=False),
    "integration_need": Mart(("company", "month"), customer_id=False),
    "integration_need_inputs": Mart(("company", "month", "input"), customer_id=False),
    "pocket_prices": Mart(("company", "month"), customer_id=False),
    # Customers that are no longer one, and figures taken back, make these shrink.
    "field_agreement": Mart(("month", "field"), customer_id=False, may_shrink_by=1.0),
    "process_costs": Mart(("company", "month", "kind"), customer_id=False, may_shrink_by=1.0),
    # Products without a sale left, and metrics that were renamed, make these shrink.
    "forecast_accuracy": Mart(
        ("level", "item", "month", "lag_months"), customer_id=False, may_shrink_by=0.5
    ),
    "integration_scorecard": Mart(("metric", "month"), customer_id=False, may_shrink_by=0.5),
}
DOCUMENTS = (
    ("orders", "order_lines", "order_id"),
    ("invoices", "invoice_lines", "invoice_id"),
    ("shipments", "shipment_lines", "shipment_id"),
    ("returns", "return_lines", "return_id"),
)


def suites() -> dict[str, list[Node]]:
    """Return the expectations of every mart, by suite."""
    wanted = {f"marts__{name}": _suite(name, mart) for name, mart in MARTS.items()}
    for header, lines, key in DOCUMENTS:
        wanted[f"marts__{lines}"].append(_belongs_to_header(header, lines, key))
        if MARTS[header].amount:
            wanted[f"marts__{header}"].append(_lines_sum_to_header(header, lines, key))
    for documents in ("orders", "invoices"):
        wanted[f"marts__{documents}"].append(_has_a_customer(MARTS[documents]))
    wanted["marts__invoices"] += [_follows_its_order(), _credits_no_more_than_was_invoiced()]
    wanted[f"marts__{SEAL_BREACHES}"].append(_seal_holds())
    return wanted


def _suite(name: str, mart: Mart) -> list[Node]:
    expectations = [_does_not_shrink(name, mart)]
    expectations += [_key_is_present(mart, column) for column in mart.key]
    if mart.customer_id:
        expectations.append(_customer_is_known(mart))
    if mart.customer_is_required:
        expectations.append(_customer_is_present(name))
    if mart.amount:
        expectations.append(_amount_is_converted(mart, mart.amount))
    if name == "order_reconciliation":
        expectations.append(_nothing_is_unexplained(mart))
    return expectations


def _does_not_shrink(name: str, mart: Mart) -> Node:
    return {
        "type": "expect_table_row_count_to_be_between",
        "severity": "critical",
        "kwargs": {"min_value": {"$PARAMETER": f"{name}_least_rows"}, "max_value": None},
        "meta": {
            "rule": "does_not_shrink",
            "description": "The table has not lost more than a share of its published rows.",
            "advice": "Look for a source that delivered too little, or deleted too much. If the "
            "loss is right, raise `may_shrink_by` here and run again.",
            "may_shrink_by": mart.may_shrink_by,
        },
    }


def _key_is_present(mart: Mart, column: str) -> Node:
    return {
        "type": "expect_column_values_to_not_be_null",
        "severity": "critical",
        "kwargs": {"column": column},
        "meta": {
            "rule": f"{column}_is_present",
            "description": f"Every row has its `{column}`; it is part of the key.",
            "advice": "This is an error of the mart's model, not of the data; do not publish.",
            "key": list(mart.key),
            DEPENDS_ON: [],
        },
    }


def _rows(
    severity: str, query: str, *, rule: str, description: str, advice: str, **policy: object
) -> Node:
    return {
        "type": "unexpected_rows_expectation",
        "severity": severity,
        "kwargs": {"unexpected_rows_query": query},
        "meta": {"rule": rule, "description": description, "advice": advice, **policy},
    }


def _again_when(mart: str, change: str, *key: str) -> Node:
    """Say which other mart a rule reads, and by what column of its own its rows are found."""
    return {DEPENDS_ON: [{"mart": mart, "is": change, "key": list(key)}]}


def _columns(mart: Mart, prefix: str = "") -> str:
    return ", ".join(f"{prefix}{column}" for column in mart.key)


def _customer_is_known(mart: Mart) -> Node:
    return _rows(
        "critical",
        f"select {_columns(mart, 'mart.')} from {{batch}} as mart "
        "left join customers on customers.customer_id = mart.customer_id "
        f"where {mart.customer_filter} and customers.customer_id is null",
        rule="customer_is_known",
        description="Every `customer_id` is a row of `customers`.",
        advice="Rebuild identity and marts (`concord run --full`); report it if it stays.",
        key=list(mart.key),
        **_again_when("customers", "lost", "customer_id"),
    )


def _customer_is_present(name: str) -> Node:
    return _rows(
        "critical",
        f"select {_columns(MARTS[name])} from {{batch}} where customer_id is null",
        rule="customer_is_present",
        description="Every source record belongs to a customer.",
        advice="Rebuild identity and marts (`concord run --full`); report it if it stays.",
        key=list(MARTS[name].key),
        **{DEPENDS_ON: []},
    )


def _amount_is_converted(mart: Mart, amount: str) -> Node:
    return _rows(
        "warning",
        f"select {_columns(mart)} from {{batch}} "
        f"where {amount} is not null and {amount}_reporting is null",
        rule="amount_is_converted",
        description="Every amount is also there in the reporting currency.",
        advice="Land exchange rates for the currencies and days of the listed rows; until then "
        "sums in the reporting currency lack them.",
        key=list(mart.key),
        **{DEPENDS_ON: []},
    )


def _nothing_is_unexplained(mart: Mart) -> Node:
    return _rows(
        "critical",
        f"select {_columns(mart)} from {{batch}} "
        "where unexplained_amount <> 0 or unexplained_amount_reporting <> 0",
        rule="nothing_is_unexplained",
        description="Every cent between CRM and ERP has a cause.",
        advice="This is an error of the reconciliation's models, not of the data; do not publish. "
        "Report the listed pairs.",
        key=list(mart.key),
        **{DEPENDS_ON: []},
    )


def _belongs_to_header(header: str, lines: str, key: str) -> Node:
    return _rows(
        "critical",
        f"select {_columns(MARTS[lines], 'line.')} from {{batch}} as line "
        f"left join {header} as header on header.source_system = line.source_system "
        f"and header.{key} = line.{key} where header.{key} is null",
        rule="header_is_present",
        description=f"Every line belongs to a row of `{header}`.",
        advice="Half a document must not be shown. Rebuild the marts (`concord run --full`).",
        key=list(MARTS[lines].key),
        **_again_when(header, "lost", "source_system", key),
    )


def _has_a_customer(mart: Mart) -> Node:
    return _rows(
        "warning",
        f"select {_columns(mart)} from {{batch}} where customer_id is null",
        rule="customer_is_present",
        description="Every document belongs to a customer that is known.",
        advice="The document names no customer, or one that was never landed. Its amounts are in "
        "the totals but in no customer's; land the customer, or correct the document.",
        key=list(mart.key),
        **{DEPENDS_ON: []},
    )


def _follows_its_order() -> Node:
    return _rows(
        "warning",
        "select invoice.source_system, invoice.invoice_id from {batch} as invoice inner join "
        "orders on orders.source_system = invoice.source_system "
        "and orders.order_id = invoice.order_id where invoice.invoice_date < orders.order_date",
        rule="invoice_follows_its_order",
        description="No invoice is dated before its order.",
        advice="Often an order entered afterwards, or a mistyped year on either side. Both were "
        "taken as they are; correct the dates where times between them matter.",
        key=["source_system", "invoice_id"],
        **_again_when("orders", "rewritten", "source_system", "order_id"),
    )


def _credits_no_more_than_was_invoiced() -> Node:
    return _rows(
        "warning",
        "select credit.source_system, credit.invoice_id from {batch} as credit inner join "
        "invoices as invoice on invoice.source_system = credit.source_system "
        "and invoice.invoice_id = credit.corrects_invoice_id "
        "where credit.type = 'credit_note' and -credit.net_amount > invoice.net_amount",
        rule="credit_stays_within_its_invoice",
        description="No credit note is larger than the invoice that it corrects.",
        advice="Ask whether it should name another invoice, or several. It was taken as it is: "
        "revenue is lower by all of it.",
        key=["source_system", "invoice_id"],
        **_again_when("invoices", "rewritten", "source_system", "corrects_invoice_id"),
    )


def _seal_holds() -> Node:
    return _rows(
        "warning",
        "select seal_id from {batch}",
        rule="seal_holds",
        description="No order or invoice changed after it was complete and sealed.",
        advice="Look at `sealed_content` and `found_content` of the listed seals, and ask who "
        "changed a closed document. Accept the change by `flows.documents.accept_breach`, or have "
        "it taken back in the ERP.",
        key=["seal_id"],
        **{DEPENDS_ON: []},
    )


def _lines_sum_to_header(header: str, lines: str, key: str) -> Node:
    return _rows(
        "warning",
        f"select source_system, {key} from ("
        f"select header.source_system, header.{key}, header.net_amount, "
        "sum(line.net_amount) as lines_amount, "
        "count(*) as line_count, count(line.net_amount) as amount_count "
        f"from {{batch}} as header inner join {lines} as line using (source_system, {key}) "
        f"group by header.source_system, header.{key}, header.net_amount) as document "
        "where line_count = amount_count and abs(net_amount - lines_amount) "
        "> greatest(0.01 * line_count, 0.0001 * abs(net_amount))",
        rule="lines_sum_to_header",
        description=f"The lines add up to `{header}`.",
        advice="The first gate lets differences within the tolerance pass; look at the listed "
        "documents when a report does not add up.",
        key=["source_system", key],
        **_again_when(lines, "rewritten", "source_system", key),
    )
