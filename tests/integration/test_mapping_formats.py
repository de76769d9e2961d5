"""What a declared type reads, what it refuses, and that nothing ever raises."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from flows.core.warehouse import connect
from flows.sources.files.mapping_formats import ColumnType


@pytest.fixture
def connection(warehouse: str) -> Iterator[psycopg.Connection]:
    with connect() as opened:
        opened.execute("set time zone 'UTC'")
        yield opened


def read(connection: psycopg.Connection, column: ColumnType, text: str) -> str | None:
    query = sql.SQL("select ({})::text").format(column.reads(sql.Literal(text) + sql.SQL("::text")))
    row = connection.execute(query).fetchone()
    assert row is not None
    value: str | None = row[0]
    return value


def test_numbers_are_read_in_their_own_marks(connection: psycopg.Connection) -> None:
    german = ColumnType("number", decimal=",", thousands=".")
    swiss = ColumnType("number", thousands="'")
    cases = {
        (german, "1.234.567,89"): "1234567.89",
        (german, "-12,5"): "-12.5",
        (german, "12,5-"): "-12.5",
        (german, "1.5"): None,  # not a group of three, so not one thousand five hundred
        (swiss, "1'000.25"): "1000.25",
        (ColumnType("number"), " 007.50 "): "007.50".lstrip("0"),
        (ColumnType("number"), "1,5"): None,
        (ColumnType("number"), "1e3"): "1000",
        (ColumnType("number"), "1e5000"): None,
        (ColumnType("number"), "e5"): None,
        (ColumnType("number"), "--5"): None,
        (ColumnType("number"), "-5-"): None,
        (ColumnType("number"), "."): None,
        (ColumnType("number"), "NaN"): None,
        (ColumnType("number"), "9" * 2000): None,
        (ColumnType("integer"), "12.0"): "12",
        (ColumnType("integer"), "12.5"): None,
    }
    assert {case: read(connection, *case) for case in cases} == cases


def test_dates_are_read_in_their_own_format(connection: psycopg.Connection) -> None:
    cases = {
        (ColumnType("date"), "2026-11-23"): "2026-11-23",
        (ColumnType("date"), "1996-07-04 00:00:00.000"): "1996-07-04",
        (ColumnType("date"), "23.11.2026"): None,
        (ColumnType("date", format="DD.MM.YYYY"), "3.1.2026"): "2026-01-03",
        (ColumnType("date", format="DD.MM.YYYY"), "30.02.2026"): None,
        (ColumnType("date", format="MM/DD/YYYY"), "7/4/1996"): "1996-07-04",
        (ColumnType("date", format="MM/DD/YYYY"), "13/4/1996"): None,
        (ColumnType("date", format="YYYYMMDD"), "20180111"): "2018-01-11",
        (ColumnType("date", format="YYYYMMDD"), "2018011"): None,
        (ColumnType("date", format="DD-Mon-YY"), "05-Jan-99"): "1999-01-05",
        (ColumnType("date", format="DD-Mon-YY"), "05-Jan-26"): "2026-01-05",
        (ColumnType("date", format="DD-Mon-YY"), "05-Xyz-26"): None,
        (ColumnType("date", format="DD.MM.YYYY | YYYY-MM-DD"), "3.1.2026"): "2026-01-03",
        (ColumnType("date", format="DD.MM.YYYY | YYYY-MM-DD"), "2026-01-03"): "2026-01-03",
        (ColumnType("date", format="DD.MM.YYYY | YYYY-MM-DD"), "1/3/2026"): None,
    }
    assert {case: read(connection, *case) for case in cases} == cases


def test_moments_are_read_with_their_zone(connection: psycopg.Connection) -> None:
    berlin = ColumnType("timestamp", format="DD.MM.YYYY HH24:MI", time_zone="Europe/Berlin")
    forms = "DD.MM.YYYY HH24:MI | YYYY-MM-DD HH24:MITZ"
    either = ColumnType("timestamp", format=forms, time_zone="Europe/Berlin")
    cases = {
        (ColumnType("timestamp"), "2026-11-23T10:00:00Z"): "2026-11-23 10:00:00+00",
        (ColumnType("timestamp"), "2026-11-23 10:00:00.25+02:00"): "2026-11-23 08:00:00.25+00",
        (ColumnType("timestamp"), "2026-11-23T10:00:00"): "2026-11-23 10:00:00+00",
        (ColumnType("timestamp"), "2026-11-23"): "2026-11-23 00:00:00+00",
        (ColumnType("timestamp"), "tomorrow"): None,
        (ColumnType("timestamp"), "infinity"): None,
        (berlin, "23.11.2026 10:00"): "2026-11-23 09:00:00+00",
        (berlin, "23.11.2026 25:00"): None,
        (either, "23.11.2026 10:00"): "2026-11-23 09:00:00+00",
        (either, "2026-11-23 10:00Z"): "2026-11-23 10:00:00+00",
        (ColumnType("timestamp", format="YYYYMMDDHH24MISSTZ"), "20261123100000+0100"): (
            "2026-11-23 09:00:00+00"
        ),
    }
    assert {case: read(connection, *case) for case in cases} == cases


def test_yes_and_no_are_read_in_their_usual_spellings(connection: psycopg.Connection) -> None:
    cases = {"Yes": "true", "0": "false", " TRUE ": "true", "n": "false", "maybe": None, "": None}
    found = {text: read(connection, ColumnType("boolean"), text) for text in cases}
    assert found == cases
