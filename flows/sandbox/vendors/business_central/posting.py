"""Posting: an order becomes a shipment and an invoice, and is no order any more."""

from decimal import Decimal

from flows.sandbox.vendors.business_central.books import amount
from flows.sandbox.vendors.business_central.errors import bad_request, no_record
from flows.sandbox.vendors.business_central.tenant import Tenant, Values
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.store import Record

MONEY = ("amountExcludingTax", "totalTaxAmount", "amountIncludingTax", "netAmount", "netTaxAmount",
         "netAmountIncludingTax")  # fmt: skip
TOTALS = {
    "totalAmountExcludingTax": "amountExcludingTax",
    "totalTaxAmount": "totalTaxAmount",
    "totalAmountIncludingTax": "amountIncludingTax",
}
KEPT_BY_SHIPMENT = ("documentId", "sequence", "lineType", "lineObjectNumber", "description",
                    "unitOfMeasureCode", "unitPrice", "discountPercent")  # fmt: skip
KEPT_ORDER_ONLY = ("shippedQuantity", "invoicedQuantity", "shipQuantity", "invoiceQuantity")


def lines_of(tenant: Tenant, company: str, name: str, document: str) -> list[Record]:
    """Return the lines of a document in their order."""
    lines = tenant.table(company, name).by("documentId").get(document, [])
    return sorted(lines, key=lambda line: line.values.get("sequence", 0))


def ship_and_invoice(tenant: Tenant, company: str, key: str) -> str:
    """Post what is left of an order; return the invoice's id."""
    order = tenant.record(company, "salesOrders", key)
    if order is None:
        raise no_record("Sales Header", key)
    lines = lines_of(tenant, company, "salesOrderLines", key)
    if not lines:
        raise bad_request("There is nothing to post.", "Application_DialogException")
    _ship(tenant, company, order.values, lines)
    invoice = _invoice(tenant, company, order, lines)
    tenant.delete(company, "salesOrders", key)
    return invoice


def _ship(tenant: Tenant, company: str, order: Values, lines: list[Record]) -> None:
    left = [(line, _left(line.values, "shippedQuantity")) for line in lines]
    if not any(quantity for _, quantity in left):
        return
    number = tenant.next_number(company, "PSH")
    key = guid("posted shipments", f"{company}/{number}")
    properties = tenant.schema.find("salesShipments").properties
    today = tenant.clock.now().date().isoformat()
    header = {name: value for name, value in order.items() if name in properties}
    header |= {"number": number, "orderNumber": order["number"], "postingDate": today}
    tenant.save(company, "salesShipments", key, header)
    for line, quantity in left:
        values = {name: line.values.get(name) for name in KEPT_BY_SHIPMENT}
        values |= {"documentId": key, "documentNo": number, "quantity": amount(quantity)}
        values["shipmentDate"] = today
        identity = guid("posted shipment lines", f"{key}/{line.key}")
        tenant.save(company, "salesShipmentLines", identity, values)
        _take_from_stock(tenant, company, line.values, quantity)


def _left(values: Values, done: str) -> Decimal:
    return Decimal(str(values.get("quantity", 0))) - Decimal(str(values.get(done, 0)))


def _take_from_stock(tenant: Tenant, company: str, line: Values, quantity: Decimal) -> None:
    """Lower the stock; the item's own stamp does not move."""
    item = tenant.record(company, "items", str(line.get("itemId")))
    if item:
        stock = Decimal(str(item.values.get("inventory", 0))) - quantity
        tenant.change_silently(company, "items", item.key, {"inventory": amount(stock)})


def _invoice(tenant: Tenant, company: str, order: Record, lines: list[Record]) -> str:
    number = tenant.next_number(company, "PIN")
    key = guid("posted invoices", f"{company}/{number}")
    total: dict[str, Decimal] = dict.fromkeys(TOTALS, Decimal(0))
    for line in lines:
        values = _invoice_line(tenant, company, order, line)
        for name, part in TOTALS.items():
            total[name] += Decimal(str(values[part]))
        identity = guid("posted invoice lines", f"{key}/{line.key}")
        tenant.save(company, "salesInvoiceLines", identity, {**values, "documentId": key})
    properties = tenant.schema.find("salesInvoices").properties
    today = tenant.clock.now().date().isoformat()
    header = {name: value for name, value in order.values.items() if name in properties}
    header |= {name: amount(value) for name, value in total.items()}
    header |= {
        "number": number,
        "orderId": order.key,
        "orderNumber": order.values["number"],
        "invoiceDate": today,
        "postingDate": today,
        "dueDate": today,
        "remainingAmount": header["totalAmountIncludingTax"],
        "status": "Open",
    }
    tenant.save(company, "salesInvoices", key, header)
    _owe(tenant, company, header)
    return key


def _invoice_line(tenant: Tenant, company: str, order: Record, line: Record) -> Values:
    """Return the rest of a line that no invoice has yet, to the cent."""
    values = {name: one for name, one in line.values.items() if name not in KEPT_ORDER_ONLY}
    values["quantity"] = amount(_left(line.values, "invoicedQuantity"))
    billed = _billed(tenant, company, order, line)
    for name in MONEY:
        before = sum((Decimal(str(one.values.get(name, 0))) for one in billed), Decimal(0))
        values[name] = amount(Decimal(str(values.get(name, 0))) - before)
    return values


def _billed(tenant: Tenant, company: str, order: Record, line: Record) -> list[Record]:
    """Return the invoice lines that this order line has already."""
    invoices = tenant.table(company, "salesInvoices").by("orderId").get(order.key, [])
    return [
        one
        for invoice in invoices
        for one in lines_of(tenant, company, "salesInvoiceLines", invoice.key)
        if one.values.get("sequence") == line.values.get("sequence")
    ]


def _owe(tenant: Tenant, company: str, header: Values) -> None:
    """Raise what the customer owes; the customer's own stamp does not move."""
    customer = tenant.record(company, "customers", str(header["customerId"]))
    if customer:
        before = Decimal(str(customer.values.get("balanceDue", 0)))
        balance = before + Decimal(str(header["totalAmountIncludingTax"]))
        changed = {"balanceDue": amount(balance)}
        tenant.change_silently(company, "customers", customer.key, changed)


def return_goods(tenant: Tenant, company: str, key: str) -> str:
    """Credit the first line of an invoice whole; return the credit memo's id."""
    invoice = tenant.record(company, "salesInvoices", key)
    if invoice is None:
        raise no_record("Sales Invoice", key)
    line = lines_of(tenant, company, "salesInvoiceLines", key)[0]
    number = tenant.next_number(company, "PCM")
    memo = guid("posted credit memos", f"{company}/{number}")
    properties = tenant.schema.find("salesCreditMemos").properties
    today = tenant.clock.now().date().isoformat()
    header = {name: value for name, value in invoice.values.items() if name in properties}
    header |= {name: line.values.get(part) for name, part in TOTALS.items()}
    header |= {
        "number": number,
        "creditMemoDate": today,
        "postingDate": today,
        "invoiceId": invoice.key,
        "invoiceNumber": invoice.values["number"],
        "customerReturnReasonId": guid("customerReturnReasons", f"{company}/return"),
        "status": "Open",
    }
    tenant.save(company, "salesCreditMemos", memo, header)
    values = {**line.values, "documentId": memo}
    tenant.save(company, "salesCreditMemoLines", guid("posted credit lines", memo), values)
    return memo
