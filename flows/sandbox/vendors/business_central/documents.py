"""Orders and shipments, as Business Central keeps them, and what all documents share."""

from collections.abc import Iterator
from decimal import Decimal

from flows.sandbox.vendors.business_central.books import (
    POSTED,
    Books,
    Item,
    Values,
    amount,
    day,
    item_id,
)
from flows.sandbox.vendors.business_central.masters import (
    address_values,
    currency_id,
    unit_id,
)
from flows.sandbox.vendors.shared.company import Row, decimal, moment
from flows.sandbox.vendors.shared.keys import guid

STEP = 10_000


def orders(books: Books) -> Iterator[Item]:
    """Yield the orders that are open; what is invoiced whole is no order any more."""
    for row in books.all("orders"):
        key = row["order_id"]
        if row["status"] not in POSTED:
            company = str(row["company"])
            lines = books.of("order_lines", "order_id", key)
            moved = [moment(line, "modified_at") for line in lines]
            changed = max([moment(row, "modified_at"), *moved])
            identity = guid("orders", key)
            values = _order(books, row, lines)
            yield Item(company, "salesOrders", identity, values, changed)
            for line in lines:
                yield _order_line(books, company, identity, line)


def parties_of(books: Books, row: Row, shipping: object) -> Values:
    """Return who buys, who pays and where the goods go."""
    customer = books.customer(row)
    key = str(customer["customer_id"])
    billing = books.address(f"{key}-B")
    number, name = books.numbers[key], customer["name"]
    return {
        "customerId": guid("customers", key),
        "customerNumber": number,
        "customerName": name,
        "billToName": name,
        "billToCustomerId": guid("customers", key),
        "billToCustomerNumber": number,
        "shipToName": name,
        **address_values(billing, "sellTo"),
        **address_values(billing, "billTo"),
        **address_values(books.address(shipping), "shipTo"),
        "phoneNumber": customer["phone"],
        "email": customer["email"],
    }


def totals(company: str, row: Row, sign: int = 1) -> Values:
    """Return the currency and the sums of a document."""
    return {
        "currencyId": currency_id(company, row["currency"]),
        "currencyCode": row["currency"],
        "totalAmountExcludingTax": amount(_signed(row["net_amount"], sign)),
        "totalTaxAmount": amount(_signed(row["tax_amount"], sign)),
        "totalAmountIncludingTax": amount(_signed(row["gross_amount"], sign)),
        "discountAppliedBeforeTax": True,
    }


def _signed(value: object, sign: int) -> Decimal:
    return sign * (decimal(value) or Decimal(0))


def _order(books: Books, row: Row, lines: list[Row]) -> Values:
    company = str(row["company"])
    is_shipped = all(
        _done(books, "shipment_lines", line) >= (decimal(line["quantity"]) or 0) for line in lines
    )
    return {
        "number": row["order_number"],
        "externalDocumentNumber": row["external_reference"],
        "orderDate": row["order_date"],
        "postingDate": row["order_date"],
        "requestedDeliveryDate": row["requested_date"],
        **parties_of(books, row, row["ship_to_address_id"]),
        **totals(company, row),
        "salesperson": row["created_by"],
        "partialShipping": True,
        "fullyShipped": is_shipped,
        "status": "Draft" if row["status"] == "open" else "Open",
    }


def _done(books: Books, entity: str, line: Row) -> Decimal:
    """Return how much of an order line was shipped or invoiced."""
    parts = books.of(entity, "order_line_id", line["order_line_id"])
    quantities = (decimal(part["quantity"]) or Decimal(0) for part in parts)
    return sum((one for one in quantities if one > 0), Decimal(0))


def line_values(company: str, document: str, row: Row, sequence: int, sign: int = 1) -> Values:
    """Return what the lines of all documents but shipments have in common."""
    # A line whose quantity nobody could read counts for nothing.
    is_counted = decimal(row["quantity"]) is not None
    net = _signed(row["net_amount"], sign) if is_counted else Decimal(0)
    tax = _signed(row["tax_amount"], sign) if is_counted else Decimal(0)
    number = row["product_number"]
    return {
        "documentId": document,
        "sequence": sequence,
        "itemId": item_id(company, number),
        "lineType": "Item",
        "lineObjectNumber": number,
        "description": row["description"],
        "unitOfMeasureId": unit_id(company, row["unit"]),
        "unitOfMeasureCode": row["unit"],
        "quantity": amount(_signed(row["quantity"], sign)),
        "unitPrice": amount(row["unit_price"]),
        "discountPercent": amount(row["discount_pct"]),
        "discountAppliedBeforeTax": True,
        "amountExcludingTax": amount(net),
        "totalTaxAmount": amount(tax),
        "amountIncludingTax": amount(net + tax),
        "netAmount": amount(net),
        "netTaxAmount": amount(tax),
        "netAmountIncludingTax": amount(net + tax),
    }


def _order_line(books: Books, company: str, document: str, row: Row) -> Item:
    shipped = _done(books, "shipment_lines", row)
    invoiced = _done(books, "invoice_lines", row)
    values = {
        **line_values(company, document, row, int(row["line_number"]) * STEP),
        "shippedQuantity": amount(shipped),
        "invoicedQuantity": amount(invoiced),
        "shipQuantity": amount((decimal(row["quantity"]) or Decimal(0)) - shipped),
        "invoiceQuantity": amount((decimal(row["quantity"]) or Decimal(0)) - invoiced),
    }
    key = guid("order_lines", row["order_line_id"])
    return Item(company, "salesOrderLines", key, values, moment(row, "modified_at"))


def order_of(books: Books, row: Row) -> Row:
    """Return the order of a document, or an empty one."""
    return books.rows["orders"].get(str(row["order_id"]), {})


def sequence_of(books: Books, row: Row, place: int) -> int:
    """Return the place of the order's line, which posted lines keep."""
    line = books.rows["order_lines"].get(str(row["order_line_id"]))
    return (int(line["line_number"]) if line else place) * STEP


def shipments(books: Books) -> Iterator[Item]:
    """Yield what was shipped."""
    for row in books.all("shipments"):
        order = order_of(books, row)
        company = str(books.customer(row)["company"])
        identity = guid("shipments", row["shipment_id"])
        values: Values = {
            "number": row["shipment_number"],
            "externalDocumentNumber": order.get("external_reference"),
            "orderNumber": order.get("order_number"),
            "postingDate": day(row["shipped_at"]),
            "invoiceDate": day(row["shipped_at"]),
            "currencyCode": order.get("currency"),
            "shipmentMethodCode": str(row["carrier"]).upper()[:10],
            **parties_of(books, row, row["ship_to_address_id"]),
        }
        yield Item(company, "salesShipments", identity, values, moment(row, "modified_at"))
        lines = books.of("shipment_lines", "shipment_id", row["shipment_id"])
        for place, line in enumerate(lines, start=1):
            yield _shipment_line(books, company, row, line, place)


def _shipment_line(books: Books, company: str, header: Row, row: Row, place: int) -> Item:
    ordered = books.rows["order_lines"].get(str(row["order_line_id"]), {})
    values: Values = {
        "documentId": guid("shipments", header["shipment_id"]),
        "documentNo": header["shipment_number"],
        "sequence": sequence_of(books, row, place),
        "lineType": "Item",
        "lineObjectNumber": row["product_number"],
        "description": ordered.get("description"),
        "unitOfMeasureCode": row["unit"],
        "unitPrice": amount(ordered.get("unit_price")),
        "discountPercent": amount(ordered.get("discount_pct")),
        "quantity": amount(row["quantity"]),
        "shipmentDate": day(header["shipped_at"]),
    }
    key = guid("shipment_lines", row["shipment_line_id"])
    return Item(company, "salesShipmentLines", key, values, moment(row, "modified_at"))
