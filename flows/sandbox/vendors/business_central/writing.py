"""Creating, changing and deleting records, and posting documents."""

from typing import Any

import orjson

from flows.sandbox.vendors.business_central.addresses import Target
from flows.sandbox.vendors.business_central.checks import check_version, checked
from flows.sandbox.vendors.business_central.errors import (
    bad_request,
    no_record,
    no_segment,
    refused,
)
from flows.sandbox.vendors.business_central.posting import ship_and_invoice
from flows.sandbox.vendors.business_central.reading import HEADERS, shape_of
from flows.sandbox.vendors.business_central.schema import LINES
from flows.sandbox.vendors.business_central.tenant import Tenant, Values
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.requests import Request
from flows.sandbox.vendors.shared.store import Record

SERIES = {"customers": "C9", "items": "I", "salesOrders": "SO9", "salesQuotes": "SQ",
          "salesInvoices": "SI", "salesCreditMemos": "SC", "contacts": "CT9"}  # fmt: skip
WRITABLE = frozenset((*SERIES, *LINES.values(), "currencies", "paymentTerms", "unitsOfMeasure",
                      "currencyExchangeRates"))  # fmt: skip
POSTED_SETS = frozenset(("salesShipments", "salesShipmentLines"))


def create(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Create a record, perhaps with its lines; a client may bring the id."""
    if target.set not in WRITABLE:
        message = (
            f"'POST' requests for '{target.set}' of EdmType 'Entity' are not allowed within "
            "Microsoft Dynamics NAV OData web services."
        )
        raise refused(405, "BadRequest_MethodNotAllowed", message)
    given = _json(request)
    if target.parent is not None:
        given[target.reference] = target.parent
    key = _insert(tenant, target, given)
    record = tenant.record(target.company, target.set, key)
    if record is None:
        raise no_record(target.set, key)
    return _shown(tenant, request, target, record, 201)


def _insert(tenant: Tenant, target: Target, given: Values) -> str:
    lines = given.pop(LINES.get(target.set, ""), [])
    entity = tenant.schema.find(target.set)
    values = checked(entity, given)
    key = str(values.pop("id", "")) or guid(target.set, f"created {_count(tenant)}")
    if tenant.record(target.company, target.set, key):
        message = f"The record in table {entity.kind} already exists. SystemId='{key}'"
        raise bad_request(message, "Internal_EntityWithSameKeyExists")
    if target.set in SERIES and not values.get("number"):
        values["number"] = tenant.next_number(target.company, SERIES[target.set])
    _check_number(tenant, target, values)
    values |= _resolved(tenant, target, values)
    tenant.save(target.company, target.set, key, values)
    for place, line in enumerate(lines, start=1):
        inner = Target(target.company, LINES[target.set])
        _insert(tenant, inner, {"sequence": place * 10_000, **line, "documentId": key})
    if target.set in LINES.values():
        _touch_header(tenant, target, values)
    return key


def _count(tenant: Tenant) -> int:
    tenant.numbers["created"] = tenant.numbers.get("created", 0) + 1
    return tenant.numbers["created"]


def _check_number(tenant: Tenant, target: Target, values: Values) -> None:
    number = values.get("number")
    if number and tenant.table(target.company, target.set).by("number").get(number):
        message = f"The record in table {target.set} already exists. No.='{number}'"
        raise bad_request(message, "Internal_EntityWithSameKeyExists")


def _resolved(tenant: Tenant, target: Target, values: Values) -> Values:
    """Return what follows from a reference: the customer's names, the item's description."""
    if target.set in ("salesOrders", "salesQuotes", "salesInvoices", "salesCreditMemos"):
        return {"status": "Draft", **_customer(tenant, target, values)}
    if target.set in LINES.values() and values.get("itemId"):
        item = tenant.record(target.company, "items", str(values["itemId"]))
        if item is None:
            message = "The field No. contains a value that cannot be found in the table (Item)."
            raise bad_request(message, "Internal_InvalidTableRelation")
        return _line_values(item.values, values)
    return {}


def _customer(tenant: Tenant, target: Target, values: Values) -> Values:
    customers = tenant.table(target.company, "customers")
    found = [tenant.record(target.company, "customers", str(values.get("customerId", "")))]
    if values.get("customerNumber"):
        found += customers.by("number").get(values["customerNumber"], [])
    customer = next((one for one in found if one), None)
    if customer is None:
        message = "A customerNumber or a customerID must be provided."
        raise bad_request(message, "Application_DialogException")
    known = customer.values
    return {
        "customerId": customer.key,
        "customerNumber": known.get("number"),
        "customerName": known.get("displayName"),
        "currencyId": values.get("currencyId") or known.get("currencyId"),
        "currencyCode": values.get("currencyCode") or known.get("currencyCode"),
    }


def _line_values(item: Values, values: Values) -> Values:
    quantity = float(values.get("quantity", 0))
    price = float(values.get("unitPrice") or item.get("unitPrice") or 0)
    net = round(quantity * price * (100 - float(values.get("discountPercent", 0))) / 100, 2)
    return {
        "lineType": "Item",
        "lineObjectNumber": item.get("number"),
        "description": values.get("description") or item.get("displayName"),
        "unitOfMeasureCode": item.get("baseUnitOfMeasureCode"),
        "unitPrice": price,
        "amountExcludingTax": net,
        "amountIncludingTax": net,
        "netAmount": net,
    }


def _touch_header(tenant: Tenant, target: Target, values: Values) -> None:
    """Stamp the document of a line and add its lines up again."""
    name = next(name for name, lines in LINES.items() if lines == target.set)
    header = tenant.record(target.company, name, str(values.get("documentId")))
    if header is None:
        raise no_record(name, str(values.get("documentId")))
    lines = tenant.table(target.company, target.set).by("documentId").get(header.key, [])
    net = round(sum(float(line.values.get("amountExcludingTax", 0)) for line in lines), 2)
    gross = round(sum(float(line.values.get("amountIncludingTax", 0)) for line in lines), 2)
    totals = {"totalAmountExcludingTax": net, "totalAmountIncludingTax": gross}
    tenant.save(target.company, name, header.key, totals)


def change(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Change a record that still is as the caller knows it."""
    record = _known(tenant, target)
    check_version(request, record)
    given = _json(request)
    if LINES.get(target.set, "") in given:
        message = "Deep update is not supported: the lines are changed by requests of their own."
        raise bad_request(message, "BadRequest_MethodNotImplemented")
    entity = tenant.schema.find(target.set)
    values = checked(entity, given)
    if target.set in LINES.values() and {"quantity", "unitPrice"} & values.keys():
        merged = {**record.values, **values}
        values |= _resolved(tenant, target, merged)
    tenant.save(target.company, target.set, record.key, values)
    if target.set in LINES.values():
        _touch_header(tenant, target, record.values)
    changed = _known(tenant, target)
    return _shown(tenant, request, target, changed, 200)


def delete(tenant: Tenant, request: Request, target: Target) -> Reply:
    """Delete a record."""
    record = _known(tenant, target)
    check_version(request, record)
    _check_unused(tenant, target, record)
    tenant.delete(target.company, target.set, record.key)
    return Reply(204)


def _check_unused(tenant: Tenant, target: Target, record: Record) -> None:
    """Refuse to delete what an open order needs."""
    reference = {"customers": ("salesOrders", "customerId"), "items": ("salesOrderLines", "itemId")}
    if target.set not in reference:
        return
    name, prop = reference[target.set]
    if tenant.table(target.company, name).by(prop).get(record.key):
        kind, number = target.set.removesuffix("s").capitalize(), record.values.get("number")
        message = (
            f"You cannot delete {kind} {number} because there is at least one outstanding Sales "
            "Order that includes it."
        )
        raise bad_request(message, "Application_DialogException")


def act(tenant: Tenant, target: Target) -> Reply:
    """Do what a bound action says: post an order, an invoice."""
    record = _known(tenant, target)
    action = str(target.rest).removeprefix("Microsoft.NAV.")
    if target.set == "salesOrders" and action == "shipAndInvoice":
        ship_and_invoice(tenant, target.company, record.key)
    elif target.set == "salesInvoices" and action in ("post", "postAndSend"):
        _post_invoice(tenant, target, record)
    else:
        raise no_segment(str(target.rest))
    return Reply(204)


def _post_invoice(tenant: Tenant, target: Target, record: Record) -> None:
    if record.values.get("status") != "Draft":
        message = "The invoice has already been posted."
        raise bad_request(message, "Application_DialogException")
    number = tenant.next_number(target.company, "PIN")
    total = record.values.get("totalAmountIncludingTax", 0)
    values = {"number": number, "status": "Open", "remainingAmount": total}
    tenant.save(target.company, target.set, record.key, values)


def _known(tenant: Tenant, target: Target) -> Record:
    record = tenant.record(target.company, target.set, str(target.key))
    if record is None:
        raise no_record(target.set, str(target.key))
    return record


def _json(request: Request) -> Values:
    try:
        content = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise bad_request("Invalid Request Body") from error
    if not isinstance(content, dict):
        raise bad_request("Invalid Request Body")
    return {name: value for name, value in content.items() if not name.startswith("@odata.")}


def _shown(tenant: Tenant, request: Request, target: Target, record: Record, status: int) -> Reply:
    content: dict[str, Any] = {
        "@odata.context": f"{request.url}/$metadata#{target.context}/$entity"
    }
    content |= shape_of(tenant, request, target)(record)
    reply = Reply.of_json(status, content)
    reply.headers |= HEADERS
    return reply
