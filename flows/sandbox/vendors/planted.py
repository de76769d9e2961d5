"""What is planted in the company, as the two servers show it: under their keys, in their shape."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from flows.sandbox.assembly import make_company
from flows.sandbox.company import DEFAULT_AS_OF
from flows.sandbox.deals import crm_currency, crm_total
from flows.sandbox.money import rounded
from flows.sandbox.truth import CompanyTruth, OrderDifference, RowFault
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.world import Plan, World


@dataclass(frozen=True)
class Planted:
    """How much there is to find."""

    customers: int
    differing_orders: int
    faulty_documents: int


def planted(seed: int = 7, scale: float = 1.0, as_of: date | None = None) -> Planted:
    """Return what a first run over both servers has to find."""
    world, truth = make_company(Plan(seed, scale, as_of or DEFAULT_AS_OF))
    return Planted(
        customers=truth.customers,
        differing_orders=len(list(order_differences(world, truth))),
        faulty_documents=len(list(row_faults(truth))),
    )


def row_faults(truth: CompanyTruth) -> Iterator[RowFault]:
    """Yield the documents that the first gate must hold back, under Business Central's keys.

    A typed database cannot hold a quantity that is no number: the line has none and counts for
    nothing, while the order's total still says what was ordered. Lines without a document it
    cannot hold at all.
    """
    for fault in truth.row_faults:
        if fault.document_type == "order":
            rule = "lines_sum_to_header" if fault.entity == "order_lines" else fault.rule
            key = guid("orders", fault.document_key)
            yield RowFault("orders", key, rule, "order", key)


def order_differences(world: World, truth: CompanyTruth) -> Iterator[OrderDifference]:
    """Yield the planted differences that can be seen between the two systems.

    An order that was cancelled is no longer in Business Central. Of one that is invoiced whole it
    no longer says when it was ordered, so that nothing tells that the CRM dates it otherwise, and
    currencies meet at the rate of the first invoice.
    """
    for known in truth.order_differences:
        if known.cause == "cancelled":
            yield replace(known, cause="missing_in_erp", order_number=None)
        elif known.cause == "currency":
            yield _at_the_invoice(world, known)
        elif known.cause != "timing":
            yield known


def _at_the_invoice(world: World, known: OrderDifference) -> OrderDifference:
    deal = next(one for one in world.deals if one.order_id == known.order_number)
    days = (
        date.fromisoformat(str(row["invoice_date"]))
        for row in world.extract.rows(("erp", "invoices"))
        if row["order_id"] == deal.order_id and row["type"] == "invoice"
    )
    day = min(days)
    factor = world.rate(crm_currency(deal), day) / world.rate(deal.currency, day)
    crm = rounded(crm_total(deal) * factor, deal.currency)
    return replace(known, crm_net_amount=crm, difference_amount=crm - known.erp_net_amount)
