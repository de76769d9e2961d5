"""Salesforce ids: a prefix for the object, twelve characters, and three that keep their case."""

from hashlib import blake2b

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "Opportunity": "006",
    "OpportunityLineItem": "00k",
    "OpportunityContactRole": "00K",
    "Product2": "01t",
    "Pricebook2": "01s",
    "PricebookEntry": "01u",
    "Quote": "0Q0",
    "QuoteLineItem": "0QL",
    "Order": "801",
    "OrderItem": "802",
    "Case": "500",
    "Asset": "02i",
    "User": "005",
    "RecordType": "012",
    "Rebate_Agreement__c": "a01",
}
BULK_JOB, LOCATOR, ORG = "750", "0r8", "00D"


def salesforce_id(kind: str, key: str) -> str:
    """Return the id of what is known by a key: always the same, 18 characters."""
    prefix = PREFIXES.get(kind, kind[:3])
    number = int.from_bytes(blake2b(f"{kind}/{key}".encode(), digest_size=8).digest(), "big")
    return checked(f"{prefix}5g0{_digits(number)}")


def _digits(number: int) -> str:
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(DIGITS))
        digits += DIGITS[digit]
    return digits


def checked(short: str) -> str:
    """Return the 18 characters of an id of 15."""
    return short + "".join(_check(short[start : start + 5]) for start in (0, 5, 10))


def _check(part: str) -> str:
    bits = sum(1 << place for place, letter in enumerate(part) if "A" <= letter <= "Z")
    return CHECKS[bits]


def is_id(text: str) -> bool:
    """Say whether this could be an id."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return False
    return len(text) == 15 or checked(text[:15])[15:] == text[15:].upper()


def long_id(text: str) -> str:
    """Return an id as records hold it, from 15 or 18 characters."""
    return checked(text[:15]) if len(text) in (15, 18) else text
