"""What a mapping file may say, and what is said about its mistakes."""

from pathlib import Path

import pytest

from flows.core.errors import MappingError
from flows.sources.files.mapping_check import check_mapping
from flows.sources.files.mapping_words import bare_words, quoted_names

FILES = "files:\n  bestellungen: {path: b.csv, types: {Wert: number, Datum: date}}\n"
ENTITIES = "entities:\n  orders:\n    file: bestellungen\n    columns:\n      order_id: Nr\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf Nr ,Wert,Datum,Name\n")
    return tmp_path


def check(folder: Path, text: str) -> list[str]:
    """Return the problems of a mapping, none for a good one."""
    file = folder / "mapping.yml"
    file.write_text(text, encoding="utf-8")
    try:
        check_mapping(file, folder)
    except MappingError as error:
        return [line.removeprefix(f"{file}, ") for line in str(error).splitlines()]
    return []


def test_a_good_mapping_has_no_problems(folder: Path) -> None:
    assert check(folder, FILES + ENTITIES) == []


def test_all_problems_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = FILES + (
        "entities:\n  ordres: {}\n  orders: {file: bestelungen, columns: {order_id: Nr}}\n"
    )
    assert check(folder, text) == [
        "line 4: 'ordres' is no canonical entity; did you mean 'orders'?",
        (
            "line 5: entity 'orders' reads 'bestelungen', not under 'files'; "
            "did you mean 'bestellungen'?"
        ),
    ]


@pytest.mark.parametrize(
    ("entities", "problem"),
    [
        (
            "      order_dat: Datum\n",
            (
                "line 8: 'columns' of entity 'orders' has the unknown key 'order_dat'; "
                "did you mean 'order_date'?"
            ),
        ),
        (
            "      order_date: datum\n",
            (
                "line 8: column 'order_date' of entity 'orders': file 'bestellungen' has no column "
                "'datum'; did you mean 'Datum'?"
            ),
        ),
        (
            '      status: {sql: "\\"Stand\\" || \'x\'"}\n',
            (
                "line 8: column 'status' of entity 'orders': file 'bestellungen' has no column "
                "'Stand'; known are Datum, Name, Nr, Wert."
            ),
        ),
        (
            "      currency: {constnat: EUR}\n",
            (
                "line 8: column 'currency' of entity 'orders' has the unknown key 'constnat'; "
                "did you mean 'constant'?"
            ),
        ),
        (
            "      status:\n",
            "line 8: column 'status' of entity 'orders' is nothing; give it a text.",
        ),
        (
            "      order_id: Wert\n",
            "line 8: 'order_id' stands here a second time; keep one of the two.",
        ),
    ],
)
def test_a_wrong_column_is_named_with_its_line(folder: Path, entities: str, problem: str) -> None:
    assert problem in check(folder, FILES + ENTITIES + entities)


def test_an_unmapped_key_is_told(folder: Path) -> None:
    text = FILES + "entities: {orders: {file: bestellungen, columns: {status: Name}}}\n"
    assert check(folder, text) == [
        "line 3: entity 'orders' has no 'order_id'; map it, it is part of the key."
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("path: c.csv", "there is no 'c.csv'"),
        ("path: b.csv, delimiter: ';;'", "one ASCII character"),
        ("path: b.csv, encoding: utf-9", "'utf-9', which is not known"),
        ("path: b.csv, decimal: ';'", "use one of '.' ','"),
        ("path: b.csv, types: {Wert: numbr}", "did you mean 'number'?"),
        ("path: b.csv, types: {Preis: number}", "has no column 'Preis'"),
        ("path: b.csv, date_format: DD.QQ.YYYY, types: {Datum: date}", "'.QQ.' in 'DD.QQ.YYYY'"),
        ("path: b.csv, date_format: MM/YYYY, types: {Datum: date}", "has no day"),
        ("path: b.csv, types: {Datum: {type: date, format: DD.DD.YYYY}}", "names the day twice"),
        ("path: b.csv, date_format: DD/MM/YYYY | MM/DD/YYYY, types: {Datum: date}", "look alike"),
        ("path: b.csv, date_format: DDMMYYYY | YYYYMMDD, types: {Datum: date}", "look alike"),
        ("path: b.csv, decimal: ',', thousands: ',', types: {Wert: number}", "must differ"),
        ("path: b.csv, time_zone: Europe/Bonn", "use one like Europe/Berlin"),
        ("path: b.csv, header: [a, a]", "each once"),
        ("pfad: b.csv", "has no 'path'"),
    ],
)
def test_a_wrong_option_of_a_file_is_told(folder: Path, options: str, words: str) -> None:
    found = check(folder, f"files:\n  bestellungen: {{{options}}}\nentities: {{}}\n")
    assert any(found_one.startswith("line 2: ") and words in found_one for found_one in found)


def test_a_file_in_another_encoding_is_told(folder: Path) -> None:
    (folder / "b.csv").write_bytes("Größe\n".encode("latin-1"))
    [problem] = check(folder, "files: {sizes: {path: b.csv}}\nentities: {}\n")
    assert "is not utf-8" in problem
    assert check(folder, "files: {sizes: {path: b.csv, encoding: latin-1}}\nentities: {}\n") == []


def test_what_is_no_yaml_is_told_with_its_line(folder: Path) -> None:
    assert check(folder, "files:\n  a: [\n")[0].startswith("line 3: this is not YAML")


def test_a_missing_mapping_file_is_told(folder: Path) -> None:
    with pytest.raises(MappingError, match="There is no mapping file"):
        check_mapping(folder / "none.yml", folder)


def test_only_names_in_double_quotes_are_columns() -> None:
    text = 'case when "A ""b""" = \'a "no"\' then upper("C") collate "D" end'
    assert quoted_names(text) == ('A "b"', "C")
    assert bare_words(text) == {"case", "when", "then", "upper", "end"}
