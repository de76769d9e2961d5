"""Customers, contacts, items and what they refer to, as Business Central keeps them."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flows.sandbox.vendors.business_central.books import (
    LOCAL_CURRENCY,
    Books,
    Item,
    Values,
    amount,
    day,
    item_id,
)
from flows.sandbox.vendors.business_central.schema import enumeration
from flows.sandbox.vendors.shared.company import Row, is_true, moment
from flows.sandbox.vendors.shared.keys import guid

OPENED = datetime(2024, 1, 1, tzinfo=UTC)
TERMS = {"NET14": "14D", "NET30": "30D", "NET60": "60D"}
UNITS = {"C62": "Piece", "SET": "Set", "MTR": "Metre", "LTR": "Litre", "KGM": "Kilogram"}
RETURN_REASONS = ("return", "price_correction", "goodwill", "other")
WITHOUT_DECIMALS = frozenset(("JPY",))


def tables(books: Books) -> Iterator[Item]:
    """Yield what every company has."""
    for company in books.companies():
        for code, calculation in TERMS.items():
            values = {"code": code, "displayName": code, "dueDateCalculation": calculation}
            yield Item(company, "paymentTerms", term_id(company, code), values, OPENED)
        for code, name in UNITS.items():
            values = {"code": code, "displayName": name, "internationalStandardCode": code}
            yield Item(company, "unitsOfMeasure", unit_id(company, code), values, OPENED)
        for code in sorted(books.currencies - {LOCAL_CURRENCY}):
            yield _currency(company, code)
        for reason in RETURN_REASONS:
            values = {"code": reason.upper()[:20], "description": reason.replace("_", " ")}
            yield Item(company, "customerReturnReasons", reason_id(company, reason), values, OPENED)


def _currency(company: str, code: str) -> Item:
    places = "0:0" if code in WITHOUT_DECIMALS else "2:2"
    values: Values = {
        "code": code,
        "displayName": code,
        "amountDecimalPlaces": places,
        "amountRoundingPrecision": 1 if code in WITHOUT_DECIMALS else 0.01,
    }
    return Item(company, "currencies", guid("currencies", f"{company}/{code}"), values, OPENED)


def rates(books: Books) -> Iterator[Item]:
    """Yield the rates of exchange, which the group keeps in its first company."""
    company = books.companies()[0]
    for (currency, rate_date), row in books.rates.items():
        rate = amount(row["rate"])
        values: Values = {
            "currencyCode": currency,
            "startingDate": rate_date,
            "exchangeRateAmount": 1,
            "relationalExchangeRateAmount": rate,
            "adjustmentExchangeRateAmount": 1,
            "relationalAdjustmentExchRateAmt": rate,
            "fixExchangeRateAmount": "Currency",
        }
        key = guid("currencyExchangeRates", f"{company}/{currency}/{rate_date}")
        yield Item(company, "currencyExchangeRates", key, values, moment(row, "modified_at"))


def currency_id(company: str, code: object) -> str | None:
    """Return the id of a currency; the company's own has none."""
    return None if code == LOCAL_CURRENCY else guid("currencies", f"{company}/{code}")


def term_id(company: str, code: object) -> str:
    """Return the id of terms of payment."""
    return guid("paymentTerms", f"{company}/{code}")


def unit_id(company: str, code: object) -> str:
    """Return the id of a unit."""
    return guid("unitsOfMeasure", f"{company}/{code}")


def reason_id(company: str, code: object) -> str:
    """Return the id of a reason for a return."""
    return guid("customerReturnReasons", f"{company}/{code}")


def address_values(address: Row, prefix: str = "") -> Values:
    """Return an address under the names that documents, or with no prefix customers, use."""
    lines = (address.get("street"), address.get("street2"))
    rest = (address.get("city"), address.get("region"), address.get("country"),
            address.get("postal_code"))  # fmt: skip
    if not prefix:
        names = ("addressLine1", "addressLine2", "city", "state", "country", "postalCode")
    else:
        parts = ("AddressLine1", "AddressLine2", "City", "State", "Country", "PostCode")
        names = tuple(prefix + part for part in parts)  # type: ignore[assignment]
    return dict(zip(names, (lines[0], lines[1], rest[0], rest[1], rest[2], rest[3]), strict=True))


def customers(books: Books) -> Iterator[Item]:
    """Yield customers, and with each its contacts."""
    for row in books.all("customers"):
        company, key = str(row["company"]), str(row["customer_id"])
        billing = books.address(f"{key}-B")
        changed = moment(row, "modified_at")
        if billing:
            changed = max(changed, moment(billing, "modified_at"))
        values: Values = {
            "number": books.numbers[key],
            "displayName": row["name"],
            "type": "Company",
            **address_values(billing),
            "phoneNumber": row["phone"],
            "email": row["email"],
            "website": row["website"],
            "taxRegistrationNumber": row["tax_id"],
            "currencyId": currency_id(company, row["currency"]),
            "currencyCode": row["currency"],
            "paymentTermsId": term_id(company, row["payment_terms"]),
            "creditLimit": amount(row["credit_limit"]),
            "blocked": "All" if is_true(row["is_blocked"]) else enumeration(" "),
            "balanceDue": _balance(books, key),
        }
        yield Item(company, "customers", guid("customers", key), values, changed)
        yield from _contacts(books, row, company)


def _balance(books: Books, key: str) -> float | int:
    open_amounts = (row["open_amount"] for row in books.of("invoices", "customer_id", key))
    return amount(round(sum(float(amount(one)) for one in open_amounts), 2))


def _contacts(books: Books, customer: Row, company: str) -> Iterator[Item]:
    key = str(customer["customer_id"])
    number = f"CT{books.numbers[key][1:]}"
    head: Values = {
        "number": number,
        "type": "Company",
        "displayName": customer["name"],
        "companyNumber": number,
        "companyName": customer["name"],
        "contactBusinessRelation": "Customer",
        "phoneNumber": customer["phone"],
        "email": customer["email"],
        "taxRegistrationNumber": customer["tax_id"],
    }
    changed = moment(customer, "modified_at")
    yield from _contact(company, key, f"company {key}", head, changed)
    for place, row in enumerate(books.of("contacts", "customer_id", key), start=1):
        person: Values = {
            "number": f"{number}-{place}",
            "type": "Person",
            "displayName": f"{row['first_name']} {row['last_name']}",
            "companyNumber": number,
            "companyName": customer["name"],
            "contactBusinessRelation": "Customer",
            "jobTitle": str(row["role"]).capitalize(),
            "phoneNumber": row["phone"],
            "email": row["email"],
        }
        when = moment(row, "modified_at")
        yield from _contact(company, key, str(row["contact_id"]), person, when)


def _contact(
    company: str, customer: str, key: str, values: Values, changed: datetime
) -> Iterator[Item]:
    """Yield a contact, and what links it to the customer."""
    contact = guid("contacts", key)
    yield Item(company, "contacts", contact, values, changed)
    link: Values = {
        "contactId": contact,
        "contactNumber": values["number"],
        "contactName": values["displayName"],
        "contactType": values["type"],
        "relatedId": guid("customers", customer),
        "relatedType": "Customer",
    }
    yield Item(company, "contactsInformation", contact, link, changed)


def items(books: Books) -> Iterator[Item]:
    """Yield the catalogue, which every company has in its own books."""
    for company in books.companies():
        for row in books.all("products"):
            unit = row["unit"]
            values: Values = {
                "number": row["product_number"],
                "displayName": row["name"],
                "displayName2": row["description"],
                "type": "Inventory",
                "itemCategoryCode": str(row["category"]).upper(),
                "blocked": not is_true(row["is_active"]),
                "inventory": int(guid("stock", row["product_id"])[:4], 16) % 500,
                "unitPrice": amount(row["list_price"]),
                "unitCost": amount(row["standard_cost"]),
                "baseUnitOfMeasureId": unit_id(company, unit),
                "baseUnitOfMeasureCode": unit,
                "generalProductPostingGroupCode": "RETAIL",
                "inventoryPostingGroupCode": "RESALE",
            }
            key = item_id(company, row["product_number"])
            yield Item(company, "items", key, values, moment(row, "modified_at"))


__all__ = ["address_values", "customers", "day", "items", "rates", "tables"]
