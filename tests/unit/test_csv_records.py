"""CSV into JSON objects, record by record and in whole blocks."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import SourceFileError
from flows.sources.contract import Lines, Reject
from flows.sources.files.csv_records import CsvRecords
from flows.sources.files.format import FileFormat
from flows.sources.files.stream import _Transcoded


def read(
    content: bytes, *, delimiter: str = ",", header: tuple[str, ...] | None = None
) -> tuple[list[dict[str, str | None]], list[Reject], CsvRecords]:
    records = CsvRecords(io.BytesIO(content), FileFormat("csv", delimiter=delimiter, header=header))
    rows: list[dict[str, str | None]] = []
    rejects: list[Reject] = []
    for chunk in records.chunks():
        if isinstance(chunk, Lines):
            rows += [json.loads(line) for line in chunk.content.splitlines()]
        else:
            rejects.append(chunk)
    assert records.record_count == len(rows) + len(rejects)
    return rows, rejects, records


def test_values_become_strings_and_empty_fields_become_null() -> None:
    rows, rejects, _ = read(b"a,b,c\n1.50,,x\n,NA,\n")
    assert rows == [{"a": "1.50", "b": None, "c": "x"}, {"a": None, "b": "NA", "c": None}]
    assert rejects == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b'"x,y"', "x,y"),
        (b'"say ""hi"""', 'say "hi"'),
        (b'"two\nlines"', "two\nlines"),
        (b'"two\r\nlines"', "two\r\nlines"),
        (b'""', None),
        (b"back\\slash", "back\\slash"),
        (b"tab\there", "tab\there"),
        (b"bell\x07", "bell\x07"),
        ("Zürich 東京".encode(), "Zürich 東京"),
        (b" spaced ", " spaced "),
        (b"100%", "100%"),
    ],
)
def test_a_field_keeps_its_value_exactly(field: bytes, value: str | None) -> None:
    rows, rejects, _ = read(b"a,b\n" + field + b",1\n" + b"2," + field + b"\n")
    assert rows == [{"a": value, "b": "1"}, {"a": "2", "b": value}]
    assert rejects == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2,3", "wrong number of fields: 3 where the header has 2"),
        (b"1", "wrong number of fields: 1 where the header has 2"),
        (b'"abc"def,2', "bad quoting: text after the closing quote of field 1"),
        (b'1,5" bolt', "bad quoting: a quote inside field 2, which does not begin with one"),
        (b'1,"open', "bad quoting: the quote that opens field 2 is never closed"),
        (b"1,\xff", "the record is not valid utf-8"),
        (b"1,\x00", "the record holds a NUL byte, which Postgres cannot store"),
        (b"1,a\rb", "a carriage return inside field 2, which is not quoted"),
    ],
)
def test_a_bad_record_is_rejected_alone_with_its_line_and_reason(line: bytes, reason: str) -> None:
    rows, rejects, _ = read(b"a,b\nx,y\n" + line + b"\nz,w\n")
    assert rows == [{"a": "x", "b": "y"}, {"a": "z", "b": "w"}]
    assert rejects == [Reject(3, reason, line)]


def test_line_numbers_stay_exact_after_records_of_many_lines_and_blank_lines() -> None:
    _, rejects, _ = read(b'a,b\n"1\n2\n3",x\n\n\r\nbad\n"4\n5",y\nworse\n')
    assert [reject.line for reject in rejects] == [7, 10]


def test_a_line_feed_at_the_end_and_windows_line_ends_make_no_difference() -> None:
    expected = [{"a": "1", "b": "2"}, {"a": "3", "b": None}]
    for content in (b"a,b\n1,2\n3,", b"a,b\r\n1,2\r\n3,\r\n", b"\xef\xbb\xbfa,b\n1,2\n3,\n"):
        assert read(content)[0] == expected


def test_a_record_that_spans_blocks_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.sources.files.blocks.BLOCK_BYTES", 7)
    rows, rejects, _ = read(b'a,b\n"one\ntwo\nthree\nfour",x\nplain,y\n')
    assert rows == [{"a": "one\ntwo\nthree\nfour", "b": "x"}, {"a": "plain", "b": "y"}]
    assert rejects == []


def test_names_are_trimmed_and_may_be_quoted() -> None:
    _, _, records = read(b' a ,"b ""c""" , d%s\n'.replace(b'" ,', b'",') + b"1,2,3\n")
    assert records.columns == ("a", 'b "c"', "d%s")


def test_a_name_that_ends_in_a_quote_survives() -> None:
    rows, _, _ = read(b'"a""",b\n1,\n')
    assert rows == [{'a"': "1", "b": None}]


def test_a_file_without_header_line_takes_its_names_from_the_mapping() -> None:
    assert read(b"1;2\n", delimiter=";", header=("a", "b"))[0] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_read(delimiter: str) -> None:
    mark = delimiter.encode()
    content = b"a" + mark + b"b\n1,5" + mark + b'"x' + mark + b'y"\n2' + mark + b"\n"
    rows, rejects, _ = read(content, delimiter=delimiter)
    assert rows == [{"a": "1,5", "b": f"x{delimiter}y"}, {"a": "2", "b": None}]
    assert rejects == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n", "no header"),
        (b"a,b,a\n1,2,3\n", "more than once"),
        (b"a,,c\n1,2,3\n", "Column 2 of the header has no name"),
        (b'a,"b\n1,2\n', "badly quoted"),
        (b"a,\xff\n1,2\n", "not valid utf-8"),
    ],
)
def test_a_file_whose_header_cannot_be_used_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(SourceFileError, match=message):
        read(content)


def test_a_header_only_is_a_file_of_no_rows() -> None:
    rows, rejects, records = read(b"a,b\n")
    assert (rows, rejects, records.columns) == ([], [], ("a", "b"))


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1", "utf-16", "utf-16-le"])
def test_other_encodings_become_utf8(encoding: str) -> None:
    stream = _Transcoded(io.BytesIO("a,b\nMüller,ñ\n".encode(encoding)), encoding)
    records = CsvRecords(stream, FileFormat("csv", encoding=encoding))
    (lines,) = records.chunks()
    assert isinstance(lines, Lines)
    assert json.loads(lines.content) == {"a": "Müller", "b": "ñ"}


def test_bytes_that_the_encoding_does_not_know_reject_their_record() -> None:
    stream = _Transcoded(io.BytesIO(b"a,b\n1,\x81\n2,\xe9\n"), "cp1252")
    records = CsvRecords(stream, FileFormat("csv", encoding="cp1252"))
    chunks = list(records.chunks())
    assert [c.line for c in chunks if isinstance(c, Reject)] == [2]
    assert [c.reason for c in chunks if isinstance(c, Reject)] == ["the record is not valid cp1252"]
    assert [json.loads(c.content) for c in chunks if isinstance(c, Lines)] == [{"a": "2", "b": "é"}]


FIELD = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=20))
def test_whatever_is_quoted_properly_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    text = "a,b,c\n" + "".join(",".join(map(quoted, row)) + "\n" for row in rows)
    records = CsvRecords(io.BytesIO(text.encode()), FileFormat("csv"))
    chunks = list(records.chunks())
    read_back = [
        tuple(json.loads(line).values())
        for chunk in chunks
        if isinstance(chunk, Lines)
        for line in chunk.content.removesuffix(b"\n").split(b"\n")
    ]
    assert read_back == [tuple(value or None for value in row) for row in rows]
