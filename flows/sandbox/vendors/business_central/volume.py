"""Customers in numbers, to measure readers with."""

from datetime import UTC, datetime, timedelta

from flows.sandbox.vendors.business_central.tenant import Tenant
from flows.sandbox.vendors.shared.keys import guid

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=97_003)


def fill(tenant: Tenant, customers: int) -> None:
    """Make so many customers in one company."""
    if customers:
        tenant.add_company("DK01")
    for number in range(customers):
        values = {
            "number": f"C{number:07d}",
            "displayName": f"Company {number:06d} A/S",
            "type": "Company",
            "addressLine1": f"Havnegade {number % 300}",
            "city": "Aarhus",
            "country": "DK",
            "postalCode": f"{number % 10000:04d}",
            "phoneNumber": f"+45 {number:08d}",
            "email": f"post@company{number}.example",
            "currencyCode": "EUR",
            "creditLimit": number % 100 * 500,
        }
        key = guid("customers", f"volume {number}")
        tenant.save("DK01", "customers", key, values, stamp=START + STEP * number)
