"""Mailboxes that are read by an office, whoever they are written down for."""

OFFICES = (
    "info", "post", "mail", "email", "office", "kontakt", "contact", "hello", "firmapost",
    "postmottak", "admin", "administration", "reception", "sales", "salg", "vertrieb", "verkauf",
    "orders", "order", "ordre", "bestellung", "purchase", "purchasing", "innkjop", "einkauf",
    "invoice", "invoices", "faktura", "rechnung", "billing", "accounts", "accounting", "regnskap",
    "buchhaltung", "finance", "okonomi", "support", "service", "kundeservice", "help", "booking",
    "marketing", "press", "hr", "jobs", "it", "team", "webmaster", "noreply", "no-reply",
)  # fmt: skip


def is_of_an_office(column: str) -> str:
    """Return SQL that is true when the local part of a mail address names no person."""
    return f"{column} in ({', '.join(repr(name) for name in OFFICES)})"
