"""The CRM's users, companies, people and products as Salesforce records."""

from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.salesforce.known import STANDARD_BOOK, Known, Values, ref
from flows.sandbox.vendors.salesforce.values import flag, number
from flows.sandbox.vendors.shared.company import Row
from flows.sandbox.vendors.shared.keys import guid

ACCOUNT_TYPES = {
    "prospect": "Prospect",
    "customer": "Customer - Direct",
    "partner": "Channel Partner / Reseller",
    "other": "Other",
}
PROFILE = salesforce_id("Profile", "standard user")


def _address(row: Row, source: str, target: str) -> Values:
    return {
        f"{target}Street": row[f"{source}street"],
        f"{target}City": row[f"{source}city"],
        f"{target}State": row[f"{source}region"],
        f"{target}PostalCode": row[f"{source}postal_code"],
        f"{target}Country": row[f"{source}country"],
    }


def user(_: Known, row: Row) -> Values:
    """Return a user."""
    first, last = str(row["name"]).rsplit(" ", 1)
    return {
        "Username": f"{row['email']}.sandbox",
        "FirstName": first,
        "LastName": last,
        "Name": row["name"],
        "Email": row["email"],
        "Alias": str(row["email"])[:8],
        "IsActive": flag(row["is_active"]),
        "UserType": "Standard",
        "ProfileId": PROFILE,
        "TimeZoneSidKey": "Europe/Copenhagen",
        "LocaleSidKey": "en_GB",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
    }


def _erp_id(row: Row) -> str | None:
    """Return the key that Business Central has for a customer."""
    return guid("customers", row["erp_customer_id"]) if row["erp_customer_id"] else None


def account(known: Known, row: Row) -> Values:
    """Return an account."""
    key = str(row["account_id"])
    return {
        "Name": row["name"],
        "AccountNumber": row["account_number"],
        "ParentId": ref("Account", row["parent_account_id"]),
        "Type": ACCOUNT_TYPES.get(str(row["type"]), "Other"),
        "Industry": row["industry"],
        "Website": row["website"],
        "Phone": row["phone"],
        "Email__c": row["email"],
        "Tax_Id__c": row["tax_id"],
        "Registration_Id__c": row["registration_id"],
        "ERP_Id__c": _erp_id(row) or known.erp_keys.get(key),
        **_address(row, "billing_", "Billing"),
        **_address(row, "shipping_", "Shipping"),
        "OwnerId": ref("User", row["owner_id"]),
        "CurrencyIsoCode": row["currency"],
    }


def contact(_: Known, row: Row) -> Values:
    """Return a contact."""
    return {
        "AccountId": ref("Account", row["account_id"]),
        "FirstName": row["first_name"],
        "LastName": row["last_name"],
        "Name": f"{row['first_name']} {row['last_name']}",
        "Email": row["email"],
        "Phone": row["phone"],
        "MobilePhone": row["mobile_phone"],
        "Title": row["job_title"],
        "Role__c": str(row["role"]).capitalize(),
        **_address(row, "", "Mailing"),
        "OwnerId": ref("User", row["owner_id"]),
    }


def lead(_: Known, row: Row) -> Values:
    """Return a lead."""
    return {
        "Company": row["company"],
        "FirstName": row["first_name"],
        "LastName": row["last_name"],
        "Name": f"{row['first_name']} {row['last_name']}",
        "Email": row["email"],
        "Phone": row["phone"],
        "Status": str(row["status"]).capitalize(),
        "LeadSource": row["source"],
        "IsConverted": bool(row["converted_account_id"]),
        "ConvertedAccountId": ref("Account", row["converted_account_id"]),
        "ConvertedOpportunityId": ref("Opportunity", row["converted_opportunity_id"]),
        "OwnerId": ref("User", "U1"),
    }


def product(_: Known, row: Row) -> Values:
    """Return a product."""
    return {
        "Name": row["name"],
        "ProductCode": row["product_number"],
        "StockKeepingUnit": row["product_number"],
        "QuantityUnitOfMeasure": row["unit"],
        "IsActive": flag(row["is_active"]),
        "CurrencyIsoCode": row["currency"],
    }


def price(_: Known, row: Row) -> Values:
    """Return the price of a product in the standard book."""
    return {
        "Name": row["name"],
        "Pricebook2Id": STANDARD_BOOK,
        "Product2Id": ref("Product2", row["product_id"]),
        "ProductCode": row["product_number"],
        "UnitPrice": number(row["list_price"]),
        "IsActive": flag(row["is_active"]),
        "CurrencyIsoCode": row["currency"],
    }
