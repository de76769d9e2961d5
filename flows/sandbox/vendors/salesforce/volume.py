"""Accounts with contacts in numbers, to measure readers with."""

from datetime import UTC, datetime, timedelta

from flows.sandbox.vendors.salesforce.ids import salesforce_id
from flows.sandbox.vendors.salesforce.org import INTEGRATION_USER, Org

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=97)
TOWNS = ("Oslo", "Hamburg", "Lyon", "Gent", "Leeds", "Gdańsk", "Malmö")
CONTACTS = ("Ines", "Tom")


def fill(org: Org, accounts: int) -> None:
    """Make so many accounts, each with two contacts."""
    for number in range(accounts):
        stamp = START + STEP * number
        key = salesforce_id("Account", f"volume {number}")
        _account(org, key, number, stamp)
        for first in CONTACTS:
            _contact(org, key, first, number, stamp)


def _account(org: Org, key: str, number: int, stamp: datetime) -> None:
    town = TOWNS[number % len(TOWNS)]
    values = {
        "Name": f"Company {number:06d} {town} Ltd",
        "AccountNumber": f"A-{number:06d}",
        "Type": "Customer - Direct",
        "Industry": "Manufacturing",
        "Phone": f"+47 {number:08d}",
        "Website": f"www.company{number}.example",
        "BillingStreet": f"Harbour Street {number % 300}",
        "BillingCity": town,
        "BillingPostalCode": f"{number % 10000:04d}",
        "BillingCountry": "NO",
        "AnnualRevenue": float(number * 1000),
        "NumberOfEmployees": number % 5000,
        "OwnerId": INTEGRATION_USER,
        "CurrencyIsoCode": "EUR",
    }
    org.save("Account", key, values, stamp=stamp)


def _contact(org: Org, account: str, first: str, number: int, stamp: datetime) -> None:
    values = {
        "AccountId": account,
        "FirstName": first,
        "LastName": f"Person {number:06d}",
        "Name": f"{first} Person {number:06d}",
        "Email": f"{first.lower()}@company{number}.example",
        "Phone": f"+47 {number:08d}",
        "Title": "Buyer",
        "OwnerId": INTEGRATION_USER,
    }
    org.save("Contact", salesforce_id("Contact", f"volume {number} {first}"), values, stamp=stamp)
