"""The CRM's opportunities, quotes, orders and cases as Salesforce records."""

from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.salesforce.known import STANDARD_BOOK, Known, Values, ref
from flows.sandbox.vendors.salesforce.values import flag, moment_of, moment_text, number
from flows.sandbox.vendors.shared.company import Row


def _line(known: Known, row: Row, parent: str) -> Values:
    """Return what the lines of all documents have in common."""
    product = known.products.get(str(row["product_number"]), {})
    return {
        "PricebookEntryId": ref("PricebookEntry", product.get("product_id")),
        "Product2Id": ref("Product2", product.get("product_id")),
        "Quantity": number(row["quantity"]),
        "UnitPrice": number(row["unit_price"]),
        "TotalPrice": number(row["net_amount"]),
        "CurrencyIsoCode": known.currencies.get(parent),
    }


def opportunity(_: Known, row: Row) -> Values:
    """Return an opportunity."""
    probability, amount = number(row["probability"]), number(row["amount"])
    close = str(row["close_date"])
    return {
        "AccountId": ref("Account", row["account_id"]),
        "Name": row["name"],
        "StageName": row["stage"],
        "Probability": round((probability or 0.0) * 100, 6),
        "Amount": amount,
        "ExpectedRevenue": round((amount or 0.0) * (probability or 0.0), 2),
        "CloseDate": close,
        "IsClosed": flag(row["is_closed"]),
        "IsWon": flag(row["is_won"]),
        "ForecastCategory": str(row["forecast_category"]).capitalize(),
        "ForecastCategoryName": str(row["forecast_category"]).capitalize(),
        "HasOpportunityLineItem": True,
        "Pricebook2Id": STANDARD_BOOK,
        "FiscalYear": int(close[:4]),
        "FiscalQuarter": (int(close[5:7]) + 2) // 3,
        "OwnerId": ref("User", row["owner_id"]),
        "CurrencyIsoCode": row["currency"],
    }


def opportunity_line(known: Known, row: Row) -> Values:
    """Return a line of an opportunity."""
    parent = str(row["opportunity_id"])
    return {
        **_line(known, row, parent),
        "OpportunityId": ref("Opportunity", parent),
        "SortOrder": int(row["line_number"]),
        "Name": row["description"],
        "Description": row["description"],
        "ProductCode": row["product_number"],
        "ListPrice": number(row["unit_price"]),
        "Discount": number(row["discount_pct"]),
    }


def quote(_: Known, row: Row) -> Values:
    """Return a quote."""
    total = number(row["net_amount"])
    approved = moment_text(moment_of(str(row["approved_at"]))) if row["approved_at"] else None
    return {
        "Name": row["quote_number"],
        "QuoteNumber": row["quote_number"],
        "Revision__c": number(row["revision"]),
        "OpportunityId": ref("Opportunity", row["opportunity_id"]),
        "AccountId": ref("Account", row["account_id"]),
        "Pricebook2Id": STANDARD_BOOK,
        "Status": str(row["status"]).capitalize(),
        "Quote_Date__c": row["quote_date"],
        "ExpirationDate": row["valid_until"],
        "Subtotal": total,
        "Discount": number(row["discount_pct"]),
        "TotalPrice": total,
        "GrandTotal": total,
        "Approved_By__c": ref("User", row["approved_by"]),
        "Approved_At__c": approved,
        "OwnerId": ref("User", "U1"),
        "CurrencyIsoCode": row["currency"],
    }


def quote_line(known: Known, row: Row) -> Values:
    """Return a line of a quote."""
    parent = str(row["quote_id"])
    return {
        **_line(known, row, parent),
        "QuoteId": ref("Quote", parent),
        "LineNumber": f"QL-{row['quote_line_id']}",
        "SortOrder": int(row["line_number"]),
        "Line_Number__c": number(row["line_number"]),
        "Unit__c": row["unit"],
        "ListPrice": number(row["list_price"]),
        "Discount": number(row["discount_pct"]),
        "Subtotal": number(row["net_amount"]),
    }


def order(_: Known, row: Row) -> Values:
    """Return an order."""
    is_cancelled = row["status"] == "cancelled"
    return {
        "OrderNumber": row["order_number"],
        "AccountId": ref("Account", row["account_id"]),
        "OpportunityId": ref("Opportunity", row["opportunity_id"]),
        "QuoteId": ref("Quote", row["quote_id"]),
        "Pricebook2Id": STANDARD_BOOK,
        "Status": "Cancelled" if is_cancelled else "Activated",
        "StatusCode": "Draft" if is_cancelled else "Activated",
        "EffectiveDate": row["order_date"],
        "TotalAmount": number(row["net_amount"]),
        "ERP_Order_Number__c": row["erp_order_number"],
        "OwnerId": ref("User", "U1"),
        "CurrencyIsoCode": row["currency"],
    }


def order_line(known: Known, row: Row) -> Values:
    """Return a line of an order."""
    parent = str(row["sales_order_id"])
    return {
        **_line(known, row, parent),
        "OrderId": ref("Order", parent),
        "OrderItemNumber": f"{parent[4:]}{int(row['line_number']):04d}",
        "Line_Number__c": number(row["line_number"]),
        "Unit__c": row["unit"],
        "ListPrice": number(row["unit_price"]),
        "Discount__c": number(row["discount_pct"]),
        "AvailableQuantity": number(row["quantity"]),
    }


def case(_: Known, row: Row) -> Values:
    """Return a case."""
    is_closed = row["status"] == "closed"
    closed = moment_text(moment_of(str(row["closed_at"]))) if row["closed_at"] else None
    return {
        "CaseNumber": row["case_number"],
        "AccountId": ref("Account", row["account_id"]),
        "ContactId": ref("Contact", row["contact_id"]),
        "Order_Number__c": row["order_number"],
        "Product_Number__c": row["product_number"],
        "Type": str(row["type"]).capitalize(),
        "Reason": row["reason"],
        "Subject": row["reason"],
        "Status": "Closed" if is_closed else "New",
        "Priority": "Medium",
        "Origin": "Email",
        "IsClosed": is_closed,
        "ClosedDate": closed,
        "OwnerId": ref("User", "U1"),
        "BusinessHoursId": salesforce_id("BusinessHours", "default"),
    }
