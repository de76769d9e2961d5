"""How names, numbers and addresses are compared has one definition, in SQL functions."""

# ruff: noqa: RUF001 - letters of other alphabets are what is tested

import time
from collections.abc import Iterator

import pytest
from psycopg import Connection, sql

from flows.core.warehouse import connect
from tests.fixtures.seeds import seed

ODD = [
    "", " ", "x", "&", "'", "...", "😀", "👩‍👩‍👧 AS", "مرحبا بالعالم", "שלום בע״מ", "株式会社",
    "ООО «Ромашка»", "\u200f\u200e", "a\u0301" * 300, "A" * 10_000, "AS " * 3_000, "ß" * 10_000,
    "%_\\", "\t\r\n\x01", "(" * 500, "1" * 10_000, "http://", "@", "a@", "+", "00", "NULL",
]  # fmt: skip


@pytest.fixture
def functions(warehouse: str) -> Iterator[Connection]:
    assert warehouse
    seed()
    with connect() as connection:
        yield connection


def apply(functions: Connection, name: str, *values: str | None) -> list[object]:
    call = sql.SQL("select identity.{}(value) from unnest(%s::text[]) with ordinality as t(value)")
    rows = functions.execute(call.format(sql.Identifier(name)), (list(values),)).fetchall()
    return [row[0] for row in rows]


SAME_COMPANY = [
    ["Møller & Sønn A/S", "MOELLER AND SOENN AS", "Möller und Sønn", "moller og sonn as"],
    ["Große Straße GmbH & Co. KG", "GROSSE STRASSE", "Grosse Strasse G.m.b.H.", "große straße mbH"],
    ["Ålesund Fisk AS", "AALESUND FISK", "Alesund Fisk Aksjeselskap", "AS Ålesund Fisk"],
    ["Café Noir SARL", "CAFE NOIR", "Cafe Noir S.A.R.L."],
    ["The Smith's Company, Inc.", "Smiths", "SMITHS CO INC", "Smith’s Incorporated"],
    ["O'Neill Ltd", "ONEILL LIMITED", "O´Neill Ltd."],
    ["Volvo AB (publ)", "AB Volvo", "Aktiebolaget Volvo", "VOLVO"],
    ["Nokia Oyj", "NOKIA OY", "Oy Nokia Ab"],
    ["Żubr Sp. z o.o.", "Zubr spółka z ograniczoną odpowiedzialnością"],
    ["Acme Holdings plc", "ACME HOLDINGS PUBLIC LIMITED COMPANY"],
    ["Ромашка ООО", "ООО «РОМАШКА»"],
]  # fmt: skip


@pytest.mark.parametrize("spellings", SAME_COMPANY, ids=lambda spellings: spellings[0])
def test_a_company_has_one_name_in_every_spelling(
    functions: Connection, spellings: list[str]
) -> None:
    assert len(set(apply(functions, "normalise_name", *spellings))) == 1


def test_what_is_no_legal_form_stays(functions: Connection) -> None:
    names = ["Ford Motor Company", "A S Watson", "Limited", "AS", "Das Boot", "Copenhagen"]
    assert apply(functions, "normalise_name", *names) == [
        "ford motor", "a s watson", "limited", "as", "das boot", "copenhagen"
    ]  # fmt: skip


def test_the_legal_form_is_told_by_its_code(functions: Connection) -> None:
    names = [
        "X A/S",
        "X Aksjeselskap",
        "X GmbH & Co. KG",
        "Volvo AB (publ)",
        "AB Volvo",
        "X Co., Ltd.",
        "X",
    ]
    folded = apply(functions, "fold_company_name", *names)
    codes = apply(functions, "legal_form", *map(str, folded))
    assert codes == ["as", "as", "kg", "ab", "ab", "ltd", None]


def test_words_are_sorted_written_out_and_said_once(functions: Connection) -> None:
    names = ["intl mfg and the mfg", "st olavs hosp", "the and", None]
    assert apply(functions, "name_words", *names) == [
        ["international", "manufacturing"],
        ["hospital", "olavs", "saint"],
        ["and", "the"],
        None,
    ]


def test_people_are_compared_without_titles(functions: Connection) -> None:
    names = ["Dr. Ada O'Brien Jr.", "MR. Smith", "Frau Müller-Lüdenscheidt", "Mr", "Åse"]
    assert apply(functions, "normalise_person_name", *names) == [
        "ada obrien", "smith", "muller ludenscheidt", "mr", "ase"
    ]  # fmt: skip


def test_junior_and_senior_are_told_apart_and_are_no_names(functions: Connection) -> None:
    names = [
        "Dobbins Jr.",
        "Dobbins Senior",
        "Klein II",
        "Klein, III",
        "Junior",
        "Hawaii",
        "Senior",
    ]
    assert apply(functions, "generation", *names) == ["2", "1", "2", "3", None, None, None]
    kept = apply(functions, "normalise_person_name", "Dobbins Senior", "Junior", "Dobbins Jr")
    assert kept == ["dobbins", "junior", "dobbins"]


def test_streets_and_house_numbers_are_told_apart(functions: Connection) -> None:
    streets = ["Storgata 12 B", "Hauptstr. 5", "Hauptstraße 5a", "12 High Street", "PO Box", None]
    assert apply(functions, "street_name", *streets) == [
        "storgata", "haupt strasse", "haupt strasse", "high street", "po box", None
    ]  # fmt: skip
    assert apply(functions, "house_number", *streets) == ["12b", "5", "5a", "12", None, None]


def test_mailboxes_and_sites_have_one_spelling(functions: Connection) -> None:
    mailboxes = ["Ada+x@Foo.co.uk ", "mailto:a@b.no", "Bob <bob@x.de>", "none", "a@b"]
    assert apply(functions, "normalise_email", *mailboxes) == [
        "ada@foo.co.uk", "a@b.no", "bob@x.de", None, None
    ]  # fmt: skip
    sites = [
        "ada@mail.foo.co.uk",
        "https://www.Acme.com/de?x=1",
        "sub.acme.com.au:80",
        "acme",
        None,
    ]
    assert apply(functions, "registered_domain", *sites) == [
        "foo.co.uk", "acme.com", "acme.com.au", None, None
    ]  # fmt: skip


def test_numbers_are_bare_and_fillers_are_none(functions: Connection) -> None:
    numbers = ["NO 923 609 016 MVA", "DE-136.695.976", "n/a", "", "000000000"]
    bare = apply(functions, "normalise_number", *numbers)
    assert bare == ["NO923609016MVA", "DE136695976", "NA", None, "000000000"]
    fillers = [
        "NO923609016MVA",
        "NA",
        "000000000",
        "123456789",
        "DE1234567",
        "ABCDEFG",
        "99",
        "1112111",
    ]
    assert apply(functions, "is_plausible_number", *fillers) == [
        True, False, False, False, False, False, False, True
    ]  # fmt: skip


def test_postal_codes_telephones_and_product_numbers_have_one_spelling(
    functions: Connection,
) -> None:
    codes = ["N-0150", "SE-111 22", "sw1a 1aa", "D 10115", "--"]
    assert apply(functions, "normalise_postal_code", *codes) == [
        "0150", "11122", "SW1A1AA", "10115", None
    ]  # fmt: skip
    phones = ["+47 12 34 56 78", "0047 12345678", "+44 (0)20 7946 0018", "12", None]
    assert apply(functions, "phone_digits", *phones) == [
        "+4712345678", "+4712345678", "+442079460018", None, None
    ]  # fmt: skip
    products = ["00-12 3/a", "000", "P.1", " "]
    assert apply(functions, "normalise_product_number", *products) == ["123A", "0", "P1", None]


def test_trade_item_numbers_are_known_by_their_check_digit(functions: Connection) -> None:
    numbers = ["4006381333931", "036000291452", "96385074", "4006381333932", "00000000", "P1"]
    assert apply(functions, "is_gtin", *numbers) == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        ("north sea", "southern comfort", False),
        ("x", "y", False),
        ("international business machines", "ibm", True),
        ("data soft", "datasoft", True),
        ("kjottmeister", "kjotmeister", True),
        ("moller fisk", "fisk og vilt", True),
        (None, "anything", True),
    ],
)
def test_names_are_alike_unless_nothing_of_them_is(
    functions: Connection,
    one: str | None,
    other: str,
    is_alike: bool,  # noqa: FBT001 - one of the cases
) -> None:
    call = b"select identity.names_are_alike(%s, %s)"
    for pair in ((one, other), (other, one)):
        assert functions.execute(call, pair).fetchone() == (is_alike,)


@pytest.mark.parametrize(
    "name",
    [
        "fold_text", "fold_words", "fold_company_name", "normalise_name", "strip_legal_form",
        "legal_form", "name_words", "normalise_person_name", "normalise_number",
        "is_plausible_number", "normalise_postal_code", "normalise_email", "registered_domain",
        "street_name", "house_number", "phone_digits", "normalise_product_number", "is_gtin",
    ],
)  # fmt: skip
def test_nothing_that_is_written_makes_a_function_fail_or_dawdle(
    functions: Connection, name: str
) -> None:
    started = time.monotonic()
    assert len(apply(functions, name, *ODD, None)) == len(ODD) + 1
    assert time.monotonic() - started < 5


def test_an_empty_name_is_no_name(functions: Connection) -> None:
    for name in ("normalise_name", "fold_words", "normalise_person_name", "street_name"):
        assert apply(functions, name, "", "  ", "...", "😀", None) == [None] * 5


@pytest.mark.parametrize("name", ["fold_company_name", "fold_words", "normalise_person_name"])
def test_the_functions_are_inlined_so_that_a_call_costs_nothing(
    functions: Connection, name: str
) -> None:
    query = sql.SQL("explain verbose select identity.{}(relname::text) from pg_class")
    plan = functions.execute(query.format(sql.Identifier(name))).fetchall()
    assert name not in str(plan)
