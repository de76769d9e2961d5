"""Where the rows of the analytical marts come from: ledgers, matches, reconciliation, metrics."""

from collections.abc import Iterator, Mapping, Sequence

from flows.explaining.hops import Hop, Path, same

_LINES = {
    "order_line": ("order_lines", "order_line_id"),
    "shipment_line": ("shipment_lines", "shipment_line_id"),
    "invoice_line": ("invoice_lines", "invoice_line_id"),
    "credit_line": ("invoice_lines", "invoice_line_id"),
    "return_line": ("return_lines", "return_line_id"),
}
_SALES = {
    "sales_order": ("sales_orders", "sales_order_lines", "sales_order_id"),
    "quote": ("quotes", "quote_lines", "quote_id"),
    "opportunity": ("opportunities", "opportunity_lines", "opportunity_id"),
}


def _candidates(relation: str, *on: str, columns: str = "%", **renamed: str) -> Path:
    hop = Hop(relation, {**same(*on), **renamed})
    return Path(relation, (hop,), columns=columns, is_exact=False)


_ORDER = Hop("marts.orders", same("source_system", "order_id"))


def _of_its_crm(entity: str, key: str) -> Hop:
    """Find a record of the CRM that the order before it names."""
    return Hop(f"staging.{entity}", {"source_system": "1.crm_source_system", "source_key": key})


def _flow() -> Iterator[Path]:
    """Lead from an entry of the ledger to the lines on its two sides."""
    for side in ("from", "to"):
        system, line = f"{side}_source_system", f"{side}_line_id"
        for kind, (lines, key) in _LINES.items():
            yield Path(
                f"marts.{lines}",
                (Hop(f"marts.{lines}", {"source_system": system, key: line}),),
                applies={f"{side}_type": kind},
                is_exact=False,
            )
    yield Path(
        "staging.quote_lines",
        (
            Hop(
                "staging.quote_lines",
                {"source_system": "from_source_system", "source_key": "from_line_id"},
            ),
        ),
        applies={"from_type": "quote_line"},
        is_exact=False,
    )


def _sales_documents() -> Iterator[Path]:
    """Lead from a reconciled document to its record and its lines."""
    for kind, (header, lines, key) in _SALES.items():
        record = {"source_system": "source_system", "source_key": "document_id"}
        of_it = {"source_system": "source_system", key: "document_id"}
        hops = {
            header: Hop(f"staging.{header}", record),
            lines: Hop(f"staging.{lines}", of_it, where={"is_deleted": False}),
        }
        for entity, hop in hops.items():
            applies = {"document_type": kind}
            yield Path(f"staging.{entity}", (hop,), applies=applies, is_exact=False)
    order = Hop("marts.orders", {"source_system": "source_system", "order_id": "document_id"})
    yield Path("marts.orders", (order,), applies={"document_type": "order"}, is_exact=False)


def _reconciled_lines() -> Iterator[Path]:
    """Lead from reconciled lines to the first line on each side, and to the documents."""
    for kind, (_, lines, _) in _SALES.items():
        record = {"source_system": "crm_source_system", "source_key": "crm_line_id"}
        for columns in ("crm\\_%", "%difference%"):
            yield Path(
                f"staging.{lines}",
                (Hop(f"staging.{lines}", record),),
                columns=columns,
                applies={"crm_document_type": kind},
                is_exact=False,
            )
    record = {"source_system": "erp_source_system", "source_key": "erp_line_id"}
    for columns in ("erp\\_%", "%difference%"):
        hop = Hop("staging.order_lines", record)
        yield Path("staging.order_lines", (hop,), columns=columns, is_exact=False)
    yield _candidates("marts.reconciliation_documents", "pair_key")


ANALYTICAL_PATHS: Mapping[str, Sequence[Path]] = {
    "complaint_metrics": (
        Path(
            "marts.orders",
            (
                Hop(
                    "marts.orders",
                    {"source_system": "order_source_system", "order_id": "order_id"},
                ),
            ),
        ),
    ),
    "discount_leakage": (
        _candidates("staging.order_events", "source_system", "order_id"),
        Path("staging.quotes", (_ORDER, _of_its_crm("quotes", "1.quote_id"))),
        Path("staging.quote_lines", (_ORDER, _of_its_crm("quote_lines", "quote_line_id"))),
    ),
    "document_match": (
        _candidates(
            "marts.quantity_flow", from_source_system="source_system", from_line_id="order_line_id"
        ),
        _candidates(
            "marts.quantity_flow", to_source_system="source_system", to_line_id="order_line_id"
        ),
        _candidates("marts.invoice_lines", "source_system", "order_line_id"),
    ),
    "order_line_reconciliation": tuple(_reconciled_lines()),
    "quantity_flow": tuple(_flow()),
    "reconciliation_differences": (_candidates("marts.reconciliation_documents", "pair_key"),),
    "reconciliation_documents": tuple(_sales_documents()),
}
