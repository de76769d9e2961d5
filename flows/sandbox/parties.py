"""Companies and people: the ERP's customers, addresses and contacts, the CRM's users and leads."""

from datetime import datetime, timedelta
from random import Random

from flows.sandbox.extract import Extract, Row
from flows.sandbox.identifiers import company_numbers
from flows.sandbox.spellings import plain_letters
from flows.sandbox.words import (
    COUNTRIES,
    Country,
)
from flows.sandbox.world import Customer, Plan

USERS = ("Freja Holm", "Tom Ashby", "Inès Caron", "Marek Nowak", "Kenji Mori", "Sync Service")


def make_customers(plan: Plan) -> list[Customer]:
    """Make up the companies; every fifteenth is the sister of the one before it."""
    random = plan.random("customers")
    customers: list[Customer] = []
    names: set[str] = set()
    for number in range(plan.count(120, at_least=12)):
        country = COUNTRIES[number % len(COUNTRIES)]
        sister = customers[-1] if number % 15 == 14 else None
        customer = make_customer(plan, random, number, sister.country if sister else country)
        if sister:
            _move_in_with(customer, sister, random)
        while customer.name in names:
            customer.name = f"{customer.name} {customer.town.city}"
        names.add(customer.name)
        customers.append(customer)
    return customers


def make_customer(plan: Plan, random: Random, number: int, country: Country) -> Customer:
    """Make up one company."""
    stem = random.choice(country.stems)
    name = f"{stem} {random.choice(country.trades)} {random.choice(country.legal_forms)}"
    tax_id, registration_id = company_numbers(country.code, random)
    domain = plain_letters(stem).lower().replace(" ", "").replace("&", "").replace("'", "")
    created_on = plan.start - timedelta(days=random.randint(5, 700))
    return Customer(
        customer_id=f"C{10001 + number}",
        name=name,
        country=country,
        town=random.choice(country.towns),
        street=f"{random.choice(country.streets)} {random.randint(1, 180)}",
        tax_id=tax_id,
        registration_id=registration_id,
        phone=f"{country.dialling_code} {random.randint(20, 99)} {random.randint(100000, 999999)}",
        domain=f"{domain}{number}.example",
        created_at=plan.moment(created_on, random),
    )


def _move_in_with(customer: Customer, sister: Customer, random: Random) -> None:
    """Give two companies of one group the same address and the same first word."""
    stem = next(stem for stem in sister.country.stems if sister.name.startswith(stem))
    trades = [trade for trade in sister.country.trades if trade not in sister.name]
    form = random.choice(sister.country.legal_forms)
    customer.name = f"{stem} {random.choice(trades)} {form}"
    customer.town, customer.street = sister.town, sister.street
    customer.parent_id = sister.customer_id


def add_users(plan: Plan, extract: Extract) -> None:
    """Write the CRM's users; the last one is the integration's."""
    random = plan.random("users")
    for number, name in enumerate(USERS, start=1):
        created = plan.moment(plan.start - timedelta(days=800), random)
        email = f"{plain_letters(name).lower().replace(' ', '.')}@concord.example"
        extract.add(
            ("crm", "users"),
            created,
            created,
            {"user_id": f"U{number}", "name": name, "email": email, "is_active": number != 4,
             "is_integration": number == len(USERS)},
        )  # fmt: skip


def add_customer(plan: Plan, customer: Customer, random: Random, extract: Extract) -> None:
    """Write one ERP customer with its addresses and contacts."""
    modified = plan.moment(plan.start + timedelta(days=random.randint(0, 540)), random)
    row: Row = {
        "customer_id": customer.customer_id,
        "customer_number": customer.customer_id[1:],
        "name": customer.name,
        "tax_id": customer.tax_id,
        "registration_id": customer.registration_id,
        "email": f"accounts@{customer.domain}",
        "phone": customer.phone,
        "website": f"https://www.{customer.domain}",
        "currency": customer.country.currency,
        "payment_terms": random.choice(("NET14", "NET30", "NET30", "NET60")),
        "credit_limit": random.choice((10000, 25000, 50000, 100000, None)),
        "is_blocked": random.random() < 0.02,
        "parent_customer_id": customer.parent_id,
        "crm_account_id": None,
        "company": customer.company,
    }
    extract.add(("erp", "customers"), customer.created_at, modified, row)
    for role in ("billing", "shipping"):
        _add_address(customer, role, random, modified, extract)
    for role in ("billing", "delivery"):
        _add_erp_contact(customer, role, random, modified, extract)


def _add_address(
    customer: Customer, role: str, random: Random, modified: datetime, extract: Extract
) -> None:
    is_billing = role == "billing"
    # A third of the customers take their goods where they take their invoices.
    is_elsewhere = not is_billing and random.random() < 0.67
    town = random.choice(customer.country.towns) if is_elsewhere else customer.town
    street = f"{random.choice(customer.country.streets)} {random.randint(1, 90)}"
    row: Row = {
        "address_id": customer.billing_address_id if is_billing else customer.shipping_address_id,
        "customer_id": customer.customer_id,
        "role": role,
        "addressee": customer.name,
        "street": street if is_elsewhere else customer.street,
        "street2": None if is_billing else random.choice((None, "Gate 2", "Dock B")),
        "city": town.city,
        "region": town.region,
        "postal_code": town.postal_code,
        "country": customer.country.code,
        "is_default": True,
    }
    extract.add(("erp", "addresses"), customer.created_at, modified, row)


def person(customer: Customer, random: Random) -> Row:
    """Make up somebody who works at a company."""
    first = random.choice(customer.country.first_names)
    last = random.choice(customer.country.last_names)
    mailbox = plain_letters(f"{first}.{last}").lower().replace(" ", "").replace("'", "")
    number = f"{customer.country.dialling_code} {random.randint(600, 799)} "
    phone = f"{number}{random.randint(10000, 99999)}"
    return {"first_name": first, "last_name": last, "email": f"{mailbox}@{customer.domain}",
            "phone": phone}  # fmt: skip


def _add_erp_contact(
    customer: Customer, role: str, random: Random, modified: datetime, extract: Extract
) -> None:
    row: Row = {
        "contact_id": f"K{customer.customer_id[1:]}-{role[0].upper()}",
        "customer_id": customer.customer_id,
        **person(customer, random),
        "role": role,
    }
    extract.add(("erp", "contacts"), customer.created_at, modified, row)


def add_leads(plan: Plan, extract: Extract) -> None:
    """Write companies that somebody met and nobody sold to yet."""
    random = plan.random("leads")
    for number in range(plan.count(25)):
        company = make_customer(plan, random, 9500 + number, random.choice(COUNTRIES))
        created = plan.moment(plan.as_of - timedelta(days=random.randint(1, 200)), random)
        row: Row = {
            "lead_id": f"L{1001 + number}",
            "company": company.name,
            **person(company, random),
            "status": random.choice(("new", "contacted", "qualified", "lost")),
            "source": random.choice(("trade fair", "website", "referral")),
            "converted_account_id": None,
            "converted_opportunity_id": None,
        }
        extract.add(("crm", "leads"), created, created, row)
