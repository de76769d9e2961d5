"""Which entity sets are read, what comes with them, and what the mapping cannot do without."""

from collections.abc import Mapping

# By entity set: the canonical entities its rows become. Those that others point at come first,
# but orders last: whatever was shipped or invoiced has its order in their list, or on an invoice.
ENTITIES: Mapping[str, tuple[str, ...]] = {
    "currencies": (),
    "paymentTerms": (),
    "customerReturnReasons": (),
    "currencyExchangeRates": ("fx_rates",),
    "items": ("products",),
    "customers": ("customers", "addresses"),
    "contacts": ("contacts",),
    "salesQuotes": ("quotes", "quote_lines"),
    "salesShipments": ("shipments", "shipment_lines"),
    "salesInvoices": ("invoices", "invoice_lines", "orders", "order_lines"),
    "salesCreditMemos": ("invoices", "invoice_lines", "returns", "return_lines"),
    "salesOrders": ("orders", "order_lines"),
}
# Lines have no timestamp of their own: they come with their header.
EXPANDED: Mapping[str, str] = {
    "customers": "contactsInformation",
    "salesQuotes": "salesQuoteLines",
    "salesOrders": "salesOrderLines",
    "salesShipments": "salesShipmentLines",
    "salesInvoices": "salesInvoiceLines",
    "salesCreditMemos": "salesCreditMemoLines",
}
# Documents that are not settled are read again in every run: what is still to pay, and perhaps
# their lines, change without the header's timestamp. The filter says which; none means all.
REREAD: Mapping[str, str] = {
    "salesQuotes": "",
    "salesOrders": "",
    "salesInvoices": "status eq 'Open' or status eq 'Draft'",
    "salesCreditMemos": "status eq 'Open' or status eq 'Draft'",
}
# What leaves these lists is not deleted when it was posted; its successors tell.
POSTED_INTO: Mapping[str, str] = {"salesOrders": "salesInvoices"}
IN_LOCAL_CURRENCY = frozenset({"items"})  # others say so by leaving their currency empty

_LINE = (
    "sequence lineType lineObjectNumber description unitOfMeasureCode quantity unitPrice "
    "discountPercent netAmount netTaxAmount taxPercent"
)
_HEADER = "number customerId externalDocumentNumber currencyCode totalAmountExcludingTax "
NEEDED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "paymentTerms": "code",
        "customerReturnReasons": "code",
        "currencyExchangeRates": "currencyCode startingDate exchangeRateAmount "
        "relationalCurrencyCode relationalExchangeRateAmount",
        "items": "number displayName blocked unitPrice unitCost baseUnitOfMeasureCode",
        "customers": "number displayName taxRegistrationNumber email phoneNumber website blocked "
        "currencyCode paymentTermsId creditLimit addressLine1 addressLine2 city state country "
        "postalCode",
        "contacts": "type displayName companyNumber email phoneNumber jobTitle",
        "salesQuotes": _HEADER + "documentDate status validUntilDate",
        "salesOrders": _HEADER + "orderDate requestedDeliveryDate fullyShipped status "
        "totalTaxAmount totalAmountIncludingTax",
        "salesShipments": "number orderNumber customerId postingDate",
        "salesInvoices": _HEADER + "orderId orderNumber invoiceDate dueDate status "
        "remainingAmount totalTaxAmount totalAmountIncludingTax",
        "salesCreditMemos": _HEADER + "creditMemoDate dueDate status invoiceId "
        "customerReturnReasonId totalTaxAmount totalAmountIncludingTax",
        "salesQuoteLines": _LINE.replace(" taxPercent", ""),
        "salesOrderLines": _LINE + " shippedQuantity",
        "salesInvoiceLines": _LINE,
        "salesCreditMemoLines": _LINE,
        "salesShipmentLines": "sequence lineType lineObjectNumber quantity unitOfMeasureCode",
    }.items()
}
MAPPED = tuple(ENTITIES)
CURSORS = ("lastModifiedDateTime", "systemModifiedAt")


def needed(name: str) -> frozenset[str]:
    """Return the fields that must stay readable, those of the lines with their name before."""
    lines = EXPANDED.get(name, "")
    return NEEDED.get(name, frozenset()) | {f"{lines}.{one}" for one in NEEDED.get(lines, ())}
