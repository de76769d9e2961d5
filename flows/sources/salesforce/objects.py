"""Which objects are read, and which of their fields the mapping cannot do without."""

from collections.abc import Mapping

# By object: the canonical entities its rows become, and the fields that must stay readable,
# because a field that is out of sight would be taken for one that was cleared.
ENTITIES: Mapping[str, tuple[str, ...]] = {
    "User": ("users",),
    "Account": ("accounts",),
    "Contact": ("contacts",),
    "Lead": ("leads",),
    "Pricebook2": (),
    "Product2": ("products",),
    "PricebookEntry": ("products",),
    "Opportunity": ("opportunities",),
    "OpportunityLineItem": ("opportunity_lines",),
    "Quote": ("quotes",),
    "QuoteLineItem": ("quote_lines",),
    "Order": ("sales_orders",),
    "OrderItem": ("sales_order_lines",),
    "Case": ("cases",),
    "Asset": (),
}
NEEDED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "User": "Name Email IsActive UserType",
        "Account": "Name AccountNumber ParentId Type Industry Website Phone OwnerId MasterRecordId "
        "BillingStreet BillingCity BillingState BillingPostalCode BillingCountry ShippingStreet "
        "ShippingCity ShippingState ShippingPostalCode ShippingCountry",
        "Contact": "AccountId FirstName LastName Email Phone MobilePhone Title Birthdate OwnerId "
        "MailingStreet MailingCity MailingState MailingPostalCode MailingCountry",
        "Lead": "Company FirstName LastName Email Phone Status LeadSource ConvertedAccountId "
        "ConvertedOpportunityId",
        "Product2": "ProductCode Name QuantityUnitOfMeasure IsActive",
        "PricebookEntry": "Pricebook2Id Product2Id UnitPrice IsActive",
        "Pricebook2": "IsStandard",
        "Opportunity": "AccountId Name StageName Probability Amount CloseDate IsClosed IsWon "
        "ForecastCategoryName OwnerId",
        "OpportunityLineItem": "OpportunityId ProductCode Description Quantity UnitPrice "
        "TotalPrice",
        "Quote": "QuoteNumber OpportunityId AccountId Status ExpirationDate TotalPrice",
        "QuoteLineItem": "QuoteId Quantity ListPrice UnitPrice TotalPrice Product2Id",
        "Order": "OrderNumber AccountId Status EffectiveDate TotalAmount",
        "OrderItem": "OrderId OrderItemNumber Product2Id Quantity UnitPrice TotalPrice",
        "Case": "CaseNumber AccountId ContactId Type Reason Status ClosedDate",
    }.items()
}
MAPPED = tuple(ENTITIES)
# Read whether anyone changed the row or only looked at it, and different for every user.
NOT_READ = frozenset({"LastViewedDate", "LastReferencedDate"})
TYPES_NOT_READ = frozenset({"address", "location", "base64"})
CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
NEVER_DELETED = frozenset({"User"})
