"""Invoices, credit notes, returns and payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from flows.sandbox.deals import total
from flows.sandbox.extract import Row
from flows.sandbox.money import rounded
from flows.sandbox.words import RETURN_REASONS
from flows.sandbox.world import Deal, Desk, Line

TERM_DAYS = 30


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice or credit note: negative for what is taken back."""

    line: Line
    quantity: Decimal
    unit_price: Decimal
    net: Decimal


@dataclass(frozen=True)
class Invoice:
    """An invoice as it was issued, and what is still to be paid."""

    invoice_id: str
    lines: Sequence[InvoiceLine]
    issued_at: datetime
    open_amount: Decimal


@dataclass(frozen=True)
class Document:
    """What is written of an invoice; a credit note has a reason and corrects another."""

    invoice_id: str
    lines: Sequence[InvoiceLine]
    issued_at: datetime
    modified_at: datetime
    paid: Decimal
    document_type: str = "invoice"
    reason: str | None = None
    corrects_invoice_id: str | None = None


def add_invoice(
    desk: Desk, deal: Deal, number: int, lines: Sequence[InvoiceLine], shipped_on: date
) -> Invoice:
    """Write the invoice of one shipment, with its payment if it was paid by now."""
    issued_at = desk.moment(shipped_on + timedelta(days=desk.random.randint(0, 1)))
    invoice_id = f"IN{deal.number:06d}-{number}"
    gross = _gross(deal, lines)
    paid_on = issued_at.date() + timedelta(days=TERM_DAYS + desk.random.randint(-12, 25))
    share = desk.random.choice((1,) * 22 + (Decimal("0.5"), 0))
    paid = rounded(gross * share, deal.currency) if paid_on <= desk.plan.as_of else Decimal(0)
    modified = issued_at
    if paid:
        modified = max(issued_at, desk.moment(paid_on))
        add_payment(desk, deal, invoice_id, paid, modified)
    _add_document(desk, deal, Document(invoice_id, lines, issued_at, modified, paid))
    return Invoice(invoice_id, lines, issued_at, gross - paid)


def _gross(deal: Deal, lines: Sequence[InvoiceLine]) -> Decimal:
    return total(line.net + deal.tax(line.net) for line in lines)


def add_payment(
    desk: Desk, deal: Deal, invoice_id: str, amount: Decimal, paid_at: datetime
) -> None:
    """Write one payment; money paid back is negative."""
    row: Row = {
        "payment_id": f"PAY-{invoice_id}-{paid_at:%y%m%d}",
        "customer_id": deal.customer.customer_id,
        "invoice_id": invoice_id,
        "paid_at": paid_at.isoformat(),
        "amount": amount,
        "currency": deal.currency,
    }
    desk.add(("erp", "payments"), paid_at, paid_at, row)


def _add_document(desk: Desk, deal: Deal, document: Document) -> None:
    invoice_id, lines, issued_at = document.invoice_id, document.lines, document.issued_at
    net = total(line.net for line in lines)
    gross = _gross(deal, lines)
    row: Row = {
        "invoice_id": invoice_id,
        "invoice_number": invoice_id,
        "type": document.document_type,
        "reason": document.reason,
        "corrects_invoice_id": document.corrects_invoice_id,
        "customer_id": deal.customer.customer_id,
        "order_id": deal.order_id,
        "invoice_date": issued_at.date().isoformat(),
        "due_date": (issued_at.date() + timedelta(days=TERM_DAYS)).isoformat(),
        "status": payment_status(gross - document.paid, gross),
        "currency": deal.currency,
        "net_amount": net,
        "tax_amount": gross - net,
        "gross_amount": gross,
        "open_amount": gross - document.paid,
        "company": deal.customer.company,
    }
    desk.add(("erp", "invoices"), issued_at, document.modified_at, row)
    for place, line in enumerate(lines, start=1):
        line_row = _line_row(deal, invoice_id, place, line)
        desk.add(("erp", "invoice_lines"), issued_at, issued_at, line_row)


def payment_status(open_amount: Decimal, gross: Decimal) -> str:
    """Return what the amounts say about payment."""
    if open_amount == 0:
        return "paid"
    return "open" if open_amount == gross else "partially_paid"


def _line_row(deal: Deal, invoice_id: str, place: int, line: InvoiceLine) -> Row:
    return {
        "invoice_line_id": f"{invoice_id}-{place}",
        "invoice_id": invoice_id,
        "line_number": place,
        "order_line_id": deal.line_id(line.line),
        "product_number": line.line.product.product_number,
        "description": line.line.product.name,
        "quantity": line.quantity,
        "unit": line.line.product.unit,
        "unit_price": line.unit_price,
        "discount_pct": line.line.discount_pct,
        "net_amount": line.net,
        "tax_amount": deal.tax(line.net),
    }


def add_credit_notes(desk: Desk, deal: Deal, invoices: Sequence[Invoice]) -> None:
    """Take goods back or lower a price now and then."""
    chance = desk.random.random()
    invoice = invoices[0]
    issued_at = invoice.issued_at + timedelta(days=desk.random.randint(3, 9), hours=1)
    if issued_at.date() >= desk.plan.as_of:
        return
    if chance < 0.07:
        _add_return(desk, deal, invoice, issued_at)
    elif chance < 0.1:
        _add_price_correction(desk, deal, invoice, issued_at)


def _add_return(desk: Desk, deal: Deal, invoice: Invoice, issued_at: datetime) -> None:
    sold = invoice.lines[0]
    quantity = min(Decimal(1), sold.quantity)
    net = sold.line.net(deal.currency, quantity)
    return_id = f"RE{deal.number:06d}"
    row: Row = {
        "return_id": return_id,
        "return_number": return_id,
        "customer_id": deal.customer.customer_id,
        "order_id": deal.order_id,
        "return_date": issued_at.date().isoformat(),
        "reason": desk.random.choice(RETURN_REASONS),
        "status": "closed",
    }
    desk.add(("erp", "returns"), issued_at, issued_at, row)
    line_row: Row = {
        "return_line_id": f"{return_id}-1",
        "return_id": return_id,
        "order_line_id": deal.line_id(sold.line),
        "product_number": sold.line.product.product_number,
        "quantity": -quantity,
        "unit": sold.line.product.unit,
        "net_amount": -net,
    }
    desk.add(("erp", "return_lines"), issued_at, issued_at, line_row)
    credited = InvoiceLine(sold.line, -quantity, sold.unit_price, -net)
    _add_credit_note(desk, deal, _credit(deal, invoice, credited, "return", issued_at))


def _add_price_correction(desk: Desk, deal: Deal, invoice: Invoice, issued_at: datetime) -> None:
    sold = invoice.lines[0]
    step = rounded(sold.unit_price / 20, deal.currency) or Decimal(1)
    lowered = Line(
        sold.line.number, sold.line.product, sold.quantity, step, step, sold.line.discount_pct
    )
    credited = InvoiceLine(lowered, -sold.quantity, step, -lowered.net(deal.currency))
    _add_credit_note(desk, deal, _credit(deal, invoice, credited, "price_correction", issued_at))


def _credit(
    deal: Deal, invoice: Invoice, line: InvoiceLine, reason: str, issued_at: datetime
) -> Document:
    return Document(
        invoice_id=f"CN{deal.number:06d}",
        lines=[line],
        issued_at=issued_at,
        modified_at=issued_at,
        paid=_gross(deal, [line]),
        document_type="credit_note",
        reason=reason,
        corrects_invoice_id=invoice.invoice_id,
    )


def _add_credit_note(desk: Desk, deal: Deal, document: Document) -> None:
    """Write a credit note and the money that went back with it."""
    add_payment(desk, deal, document.invoice_id, document.paid, document.issued_at)
    _add_document(desk, deal, document)
