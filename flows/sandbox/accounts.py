"""Customers as the CRM knows them: spelled, linked and entered twice as chance wills."""

from datetime import timedelta
from itertools import combinations
from random import Random

from flows.sandbox.extract import Extract, Row
from flows.sandbox.parties import USERS, add_customer, make_customer, person
from flows.sandbox.spellings import respelled
from flows.sandbox.truth import CustomerPair
from flows.sandbox.words import COUNTRIES, INDUSTRIES, JOB_TITLES
from flows.sandbox.world import Customer, Plan

# Which system knows the other's key, or which number both have, or nothing but the name.
LINKS = (
    ("erp_customer_id",) * 6
    + ("crm_account_id",) * 3
    + ("tax_id",) * 5
    + ("registration_id",) * 2
    + ("name",) * 4
)


def add_accounts(plan: Plan, customers: list[Customer], extract: Extract) -> list[CustomerPair]:
    """Write the CRM's accounts and contacts; return which records are one company."""
    random = plan.random("accounts")
    pairs: list[CustomerPair] = []
    for position, customer in enumerate(customers):
        add_customer(plan, customer, random, extract)
        # One customer in 25 was never entered in the CRM; one in 12 was entered twice.
        copies = 0 if position % 25 == 24 else 2 if position % 12 == 5 else 1
        pairs += [
            add_account(plan, customer, random, extract, is_copy=copy > 0) for copy in range(copies)
        ]
        pairs += [
            CustomerPair("crm", left, "crm", right, "duplicate", "duplicate")
            for left, right in combinations(customer.account_ids, 2)
        ]
    for number in range(plan.count(12)):
        country = COUNTRIES[(number * 3) % len(COUNTRIES)]
        prospect = make_customer(plan, random, 9000 + number, country)
        add_account(plan, prospect, random, extract, is_prospect=True)
    return pairs


def add_account(  # noqa: PLR0913 - what an account is made of
    plan: Plan,
    customer: Customer,
    random: Random,
    extract: Extract,
    *,
    is_copy: bool = False,
    is_prospect: bool = False,
) -> CustomerPair:
    """Write one CRM account of a company, spelled and linked as chance wills."""
    account_id = _account_id(customer)
    link = "name" if is_copy or is_prospect else random.choice(LINKS)
    name, spelling = respelled(customer.name, random)
    if is_prospect:
        name = customer.name
    modified = plan.moment(plan.start + timedelta(days=random.randint(0, 540)), random)
    row: Row = {
        "account_id": account_id,
        "name": name,
        "account_number": None,
        "parent_account_id": None,
        "type": "prospect" if is_prospect else "customer",
        "industry": random.choice(INDUSTRIES),
        "website": f"www.{customer.domain}",
        "phone": customer.phone.replace(" ", random.choice((" ", "-", ""))),
        "email": f"info@{customer.domain}",
        "tax_id": customer.tax_id if link == "tax_id" else None,
        "registration_id": customer.registration_id if link == "registration_id" else None,
        "erp_customer_id": customer.customer_id if link == "erp_customer_id" else None,
        **_account_address(customer, "billing"),
        **_account_address(customer, "shipping"),
        "owner_id": f"U{random.randint(1, len(USERS) - 1)}",
        "currency": customer.country.currency,
        "merged_into_id": None,
    }
    extract.add(("crm", "accounts"), customer.created_at, modified, row)
    if link == "crm_account_id":
        # The customer was written just before its accounts.
        extract.rows(("erp", "customers"))[-1]["crm_account_id"] = account_id
    customer.account_ids.append(account_id)
    _add_contacts(plan, customer, account_id, random, extract)
    return CustomerPair("crm", account_id, "erp", customer.customer_id, spelling, link)


def _account_id(customer: Customer) -> str:
    """Return a key that is unique and does not give away whose record it is."""
    number = int(customer.customer_id[1:]) + 20000 * len(customer.account_ids)
    return f"A{100000 + number * 7919 % 99991}"


def _account_address(customer: Customer, role: str) -> Row:
    return {
        f"{role}_street": customer.street,
        f"{role}_city": customer.town.city,
        f"{role}_region": customer.town.region,
        f"{role}_postal_code": customer.town.postal_code,
        f"{role}_country": customer.country.code,
    }


def _add_contacts(
    plan: Plan, customer: Customer, account_id: str, random: Random, extract: Extract
) -> None:
    for number in range(1, random.randint(1, 2) + 1):
        modified = plan.moment(plan.start + timedelta(days=random.randint(0, 540)), random)
        somebody = person(customer, random)
        row: Row = {
            "contact_id": f"P{account_id[1:]}-{number}",
            "account_id": account_id,
            **somebody,
            "mobile_phone": somebody["phone"],
            "job_title": random.choice(JOB_TITLES),
            "role": random.choice(("sales", "sales", "support")),
            "street": customer.street,
            "city": customer.town.city,
            "region": customer.town.region,
            "postal_code": customer.town.postal_code,
            "country": customer.country.code,
            "owner_id": f"U{random.randint(1, len(USERS) - 1)}",
        }
        extract.add(("crm", "contacts"), customer.created_at, modified, row)
