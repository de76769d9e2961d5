"""Tax and registration numbers with valid check digits, made up from a seeded source."""

from collections.abc import Callable, Sequence
from random import Random


def weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    """Sum the digits, each times its weight."""
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True))


def luhn_digit(digits: Sequence[int]) -> int:
    """Return the digit that completes a number by Luhn's rule."""
    doubled = (digit * 2 if place % 2 == 0 else digit for place, digit in enumerate(digits[::-1]))
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def _text(digits: Sequence[int]) -> str:
    return "".join(map(str, digits))


def _digits(random: Random, count: int) -> list[int]:
    return [random.randint(1, 9), *(random.randint(0, 9) for _ in range(count - 1))]


def _until_valid(
    random: Random, count: int, check: Callable[[Sequence[int]], int]
) -> tuple[list[int], int]:
    """Draw digits until their check digit is a single digit."""
    while True:
        digits = _digits(random, count)
        if 0 <= (digit := check(digits)) <= 9:
            return digits, digit


def norwegian(random: Random) -> str:
    """Return an organisation number: nine digits, modulus 11."""
    digits, last = _until_valid(random, 8, lambda d: -weighted(d, (3, 2, 7, 6, 5, 4, 3, 2)) % 11)
    return _text([*digits, last])


def danish(random: Random) -> str:
    """Return a CVR number: eight digits, modulus 11."""
    digits, last = _until_valid(random, 7, lambda d: -weighted(d, (2, 7, 6, 5, 4, 3, 2)) % 11)
    return _text([*digits, last])


def german(random: Random) -> str:
    """Return the nine digits of a German VAT number (ISO 7064, modulus 11, 10)."""
    digits = _digits(random, 8)
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return _text([*digits, (11 - product) % 10])


def british(random: Random) -> str:
    """Return the nine digits of a British VAT number (modulus 97)."""
    digits = _digits(random, 7)
    return f"{_text(digits)}{97 - weighted(digits, (8, 7, 6, 5, 4, 3, 2)) % 97:02d}"


def french(random: Random) -> str:
    """Return a SIREN: nine digits by Luhn's rule."""
    digits = _digits(random, 8)
    return _text([*digits, luhn_digit(digits)])


def swedish(random: Random) -> str:
    """Return an organisation number: ten digits by Luhn's rule."""
    digits = [5, 5, random.randint(2, 9), *_digits(random, 6)]
    return _text([*digits, luhn_digit(digits)])


def finnish(random: Random) -> str:
    """Return a business id: seven digits and a check digit, modulus 11."""
    digits, last = _until_valid(random, 7, lambda d: -weighted(d, (7, 9, 10, 5, 8, 4, 2)) % 11)
    return _text([*digits, last])


def polish(random: Random) -> str:
    """Return a NIP: ten digits, modulus 11."""
    digits, last = _until_valid(random, 9, lambda d: weighted(d, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11)
    return _text([*digits, last])


def spanish(random: Random) -> str:
    """Return a CIF of a limited company: letter, seven digits, Luhn digit."""
    digits = _digits(random, 7)
    return f"B{_text(digits)}{luhn_digit(digits)}"


def japanese(random: Random) -> str:
    """Return a corporate number: a check digit and twelve digits, modulus 9."""
    digits = _digits(random, 12)
    pairs = zip(digits, (2, 1) * 6, strict=True)
    return f"{9 - sum(digit * weight for digit, weight in pairs) % 9}{_text(digits)}"


def american(random: Random) -> str:
    """Return an employer identification number, which has no check digit."""
    return f"{random.choice((20, 26, 36, 45, 75, 81, 94))}{random.randint(1000000, 9999999)}"


def company_numbers(country: str, random: Random) -> tuple[str, str]:
    """Return the tax number and the registration number of an invented company."""
    if country in ("DE", "GB"):
        number = german(random) if country == "DE" else british(random)
        return f"{country}{number}", f"{random.randint(10000000, 99999999)}"
    number = _MAKERS[country](random)
    return _tax_number(country, number), number


def _tax_number(country: str, number: str) -> str:
    if country == "FR":
        return f"FR{(12 + 3 * (int(number) % 97)) % 97:02d}{number}"
    if country == "US":
        return f"{number[:2]}-{number[2:]}"
    prefix = {"SE": "SE", "JP": "T", "NO": "NO"}.get(country, country)
    suffix = {"SE": "01", "NO": "MVA"}.get(country, "")
    return f"{prefix}{number}{suffix}"


_MAKERS: dict[str, Callable[[Random], str]] = {
    "NO": norwegian,
    "DK": danish,
    "FR": french,
    "SE": swedish,
    "FI": finnish,
    "PL": polish,
    "ES": spanish,
    "JP": japanese,
    "US": american,
}
