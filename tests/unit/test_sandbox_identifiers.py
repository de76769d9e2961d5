from decimal import Decimal
from random import Random

import pytest

from flows.sandbox import identifiers
from flows.sandbox.money import line_net, rounded, tax_on
from flows.sandbox.spellings import (
    long_letters,
    mistyped,
    plain_letters,
    with_comma,
    without_legal_form,
)
from flows.sandbox.words import COUNTRIES


def digits(number: str) -> list[int]:
    return [int(digit) for digit in number]


def test_norwegian_and_danish_numbers_pass_modulus_11() -> None:
    random = Random(1)
    for _ in range(50):
        norwegian = digits(identifiers.norwegian(random))
        danish = digits(identifiers.danish(random))
        assert identifiers.weighted(norwegian, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
        assert identifiers.weighted(danish, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def test_british_numbers_pass_modulus_97() -> None:
    random = Random(2)
    for _ in range(50):
        number = identifiers.british(random)
        assert len(number) == 9
        total = identifiers.weighted(digits(number[:7]), (8, 7, 6, 5, 4, 3, 2))
        assert (total + int(number[7:])) % 97 == 0


def test_the_german_check_digit_of_a_published_number_is_found() -> None:
    class Fixed(Random):
        """Draws the digits of DE136695976, the example of the European Commission."""

        drawn = iter((1, 3, 6, 6, 9, 5, 9, 7))

        def randint(self, a: int, b: int) -> int:
            drawn = next(self.drawn)
            assert a <= drawn <= b
            return drawn

    assert identifiers.german(Fixed()) == "136695976"


def test_luhn_completes_a_published_number() -> None:
    assert identifiers.luhn_digit(digits("7992739871")) == 3


@pytest.mark.parametrize("country", [country.code for country in COUNTRIES])
def test_every_country_has_tax_and_registration_numbers(country: str) -> None:
    tax_id, registration_id = identifiers.company_numbers(country, Random(3))
    assert len(tax_id) >= 8
    assert len(registration_id) >= 8


def test_amounts_are_rounded_half_up_to_the_unit_of_the_currency() -> None:
    assert rounded(Decimal("2.345"), "EUR") == Decimal("2.35")
    assert rounded(Decimal("-2.345"), "EUR") == Decimal("-2.35")
    assert rounded(Decimal("2.5"), "JPY") == Decimal(3)
    assert line_net(Decimal(3), Decimal("9.99"), Decimal(5), "EUR") == Decimal("28.47")
    assert tax_on(Decimal("28.47"), Decimal(25), "DKK") == Decimal("7.12")


def test_spellings_differ_as_people_differ() -> None:
    assert plain_letters("Łódzki Ødegård") == "Lodzki Odegard"
    assert long_letters("Müller Weiß Nørgaard") == "Mueller Weiss Noergaard"
    assert without_legal_form("Brandt Antriebe GmbH & Co. KG") == "Brandt Antriebe"
    assert with_comma("Cascade Systems LLC") == "Cascade Systems, LLC"
    assert mistyped("Cascade Systems") == "Casacde Systems"
