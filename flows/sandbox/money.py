"""Amounts as a ledger makes them: exact decimals, rounded half up to the currency's unit."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def unit_of(currency: str) -> Decimal:
    """Return the smallest amount of a currency."""
    return Decimal(1) if currency == "JPY" else CENT


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round an amount half up to what the currency can pay."""
    return amount.quantize(unit_of(currency), ROUND_HALF_UP)


def line_net(quantity: Decimal, price: Decimal, discount_pct: Decimal, currency: str) -> Decimal:
    """Return quantity times price less the discount, rounded once."""
    return rounded(quantity * price * (HUNDRED - discount_pct) / HUNDRED, currency)


def tax_on(net: Decimal, tax_pct: Decimal, currency: str) -> Decimal:
    """Return the tax on a net amount, rounded once."""
    return rounded(net * tax_pct / HUNDRED, currency)
