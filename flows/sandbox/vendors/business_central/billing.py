"""Invoices and credit memos, as Business Central keeps them."""

from collections.abc import Iterator

from flows.sandbox.vendors.business_central.books import Books, Item, Values, amount
from flows.sandbox.vendors.business_central.documents import (
    line_values,
    order_of,
    parties_of,
    sequence_of,
    totals,
)
from flows.sandbox.vendors.business_central.masters import reason_id
from flows.sandbox.vendors.shared.company import Row, moment
from flows.sandbox.vendors.shared.keys import guid


def invoices(books: Books) -> Iterator[Item]:
    """Yield invoices and credit memos."""
    for row in books.all("invoices"):
        if row["type"] == "credit_note":
            yield from _credit_memo(books, row)
        else:
            yield from _invoice(books, row)


def _invoice(books: Books, row: Row) -> Iterator[Item]:
    company, order = str(row["company"]), order_of(books, row)
    identity = guid("invoices", row["invoice_id"])
    values: Values = {
        "number": row["invoice_number"],
        "externalDocumentNumber": order.get("external_reference"),
        "invoiceDate": row["invoice_date"],
        "postingDate": row["invoice_date"],
        "dueDate": row["due_date"],
        "orderId": guid("orders", row["order_id"]),
        "orderNumber": order.get("order_number"),
        **parties_of(books, row, order.get("ship_to_address_id")),
        **totals(company, row),
        "remainingAmount": amount(row["open_amount"]),
        "status": "Paid" if row["status"] == "paid" else "Open",
    }
    yield Item(company, "salesInvoices", identity, values, moment(row, "modified_at"))
    for line in books.of("invoice_lines", "invoice_id", row["invoice_id"]):
        sequence = sequence_of(books, line, int(line["line_number"]))
        shape = line_values(company, identity, line, sequence)
        key = guid("invoice_lines", line["invoice_line_id"])
        yield Item(company, "salesInvoiceLines", key, shape, moment(line, "modified_at"))


def _credit_memo(books: Books, row: Row) -> Iterator[Item]:
    """Yield a credit memo: what goes back to the customer stands in it without a sign."""
    company = str(row["company"])
    identity = guid("invoices", row["invoice_id"])
    corrected = books.rows["invoices"].get(str(row["corrects_invoice_id"]), {})
    parties = parties_of(books, row, None)
    values: Values = {
        "number": row["invoice_number"],
        "externalDocumentNumber": order_of(books, row).get("external_reference"),
        "creditMemoDate": row["invoice_date"],
        "postingDate": row["invoice_date"],
        "dueDate": row["due_date"],
        **{name: value for name, value in parties.items() if not name.startswith("shipTo")},
        **totals(company, row, sign=-1),
        "invoiceId": guid("invoices", row["corrects_invoice_id"]) if corrected else None,
        "invoiceNumber": corrected.get("invoice_number"),
        "customerReturnReasonId": reason_id(company, row["reason"]),
        "status": "Paid" if row["status"] == "paid" else "Open",
    }
    yield Item(company, "salesCreditMemos", identity, values, moment(row, "modified_at"))
    for line in books.of("invoice_lines", "invoice_id", row["invoice_id"]):
        sequence = sequence_of(books, line, int(line["line_number"]))
        shape = line_values(company, identity, line, sequence, sign=-1)
        key = guid("invoice_lines", line["invoice_line_id"])
        yield Item(company, "salesCreditMemoLines", key, shape, moment(line, "modified_at"))
