"""Numbers of companies are read by the rules of the country that issued them."""

import pytest

from flows.identity.numbers import check
from flows.identity.standardise import standard


@pytest.mark.parametrize(
    ("number", "country", "issuer", "core"),
    [
        ("NO923609016MVA", "", "NO-org", "923609016"),
        ("923609016", "NO", "NO-org", "923609016"),
        ("NO923609016MVA", "SE", "NO-org", "923609016"),
        ("SE556042722001", "SE", "SE-org", "5560427220"),
        ("5560427220", "SE", "SE-org", "5560427220"),
        ("DK13585628", "", "DK-org", "13585628"),
        ("FI20774740", "FI", "FI-org", "20774740"),
        ("136695976", "DE", "DE-vat", "136695976"),
        ("GB980780684", "GB", "GB-vat", "980780684"),
        ("FR40303265045", "", "FR-org", "303265045"),
        ("73282932000074", "FR", "FR-org", "732829320"),
        ("CHE107787577MWST", "CH", "CH-org", "CHE107787577"),
        ("T9468284291038", "JP", "JP-vat", "9468284291038"),
        ("PL8567346215", "PL", "PL-vat", "8567346215"),
    ],
)
def test_one_company_has_one_number_however_it_is_written(
    number: str, country: str, issuer: str, core: str
) -> None:
    checked = check("tax_id", number, country)
    assert (checked.standard, checked.is_valid, checked.issuer) == (core, True, issuer)


@pytest.mark.parametrize(
    ("number", "country"),
    [("923609017", "NO"), ("GB980780685", "GB"), ("136695977", "DE"), ("ELXX", "GR")],
)
def test_a_number_with_wrong_check_digits_is_wrong(number: str, country: str) -> None:
    assert check("tax_id", number, country).is_valid is False


def test_a_number_that_nobody_can_check_is_neither_right_nor_wrong() -> None:
    assert check("registration_id", "1234567", "GB").standard == "01234567"
    for kind, number, country in [
        ("registration_id", "HRB12345", "DE"),
        ("registration_id", "1234567", "GB"),
        ("tax_id", "12345678", "ZZ"),
        ("tax_id", "12345678", ""),
    ]:
        assert check(kind, number, country).is_valid is None


@pytest.mark.parametrize("number", ["", "A", "9" * 100, "عرب12345", "😀", "NO", "CHE", "0"])
@pytest.mark.parametrize("country", ["", "NO", "CH", "ZZ", "no", "Norway", "😀"])
@pytest.mark.parametrize("kind", ["tax_id", "registration_id", "phone"])
def test_nothing_that_is_written_makes_it_fail(number: str, country: str, kind: str) -> None:
    assert standard(kind, country, number).is_valid is not True


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("22 33 44 55", "NO", "+4722334455"),
        ("0047 22 33 44 55", "NO", "+4722334455"),
        ("+44 (0)20 7946 0018", "DE", "+442079460018"),
        ("030/901820", "DE", "+4930901820"),
    ],
)
def test_a_telephone_number_is_read_in_the_country_of_its_record(
    written: str, country: str, expected: str
) -> None:
    assert standard("phone", country, written).standard == expected
