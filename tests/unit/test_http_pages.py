"""Rows cut out of JSON and CSV pages: all of them, whole, and spelled as they were sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import TruncatedAnswerError
from flows.sources.http import Answer, Secrets, json_page
from flows.sources.http.quoted_csv import csv_page
from flows.sources.salesforce.stamps import stamp
from flows.sources.windows import Page, together, version_of


def page(content: bytes, member: str = "value") -> Any:
    return json_page(Answer(200, {"Content-Type": "application/json"}, content), member)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5), st.booleans())
def test_any_page_is_cut_into_the_rows_it_has(rows: list[dict[str, Any]], is_compact: bool) -> None:  # noqa: FBT001
    separators = (",", ":") if is_compact else (", ", ": ")
    content = json.dumps(
        {"a": [{"b": 1}], "value": rows, "c": {"value": []}}, separators=separators
    )
    cut = page(content.encode("utf-8", "surrogatepass"))
    lines = cut.lines.split(b"\n")[:-1]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        held = json.dumps(row).replace("\\u0000", "\\ufffd")
        if "\\ud" not in held:
            assert json.loads(line) == json.loads(held)


@pytest.mark.parametrize(
    "content",
    [
        b'{"value":[{"id":1,"lines":[{"id":2},{"id":3}]},{"id":4,"lines":[]}]}',
        b'{"value":[{"id":"},{\\"id\\":"},{"id":"x"}],"next":"y"}',
        b'{\n  "value": [\n    {"id": 1.10},\n    {"id": 2.00}\n  ],\n "done": true}',
        b'{"value":[{"id":1},{"id":2}],"warnings":[{"id":3},{"id":4}]}',
        b'{"warnings":[{"id":3},{"id":4}],"value":[{"id":1},{"id":2}]}',
        b'{"value":[{"id":1},{"other":2,"id":3}]}',
    ],
)
def test_rows_within_rows_and_white_space_do_not_confuse_the_cut(content: bytes) -> None:
    cut = page(content)
    lines = cut.lines.split(b"\n")[:-1]
    assert [json.loads(line) for line in lines] == json.loads(content)["value"]
    assert len(lines) == 2


def test_numbers_keep_their_spelling() -> None:
    content = b'{"value":[{"a":1.10,"b":3.0,"c":12345678901234567890.123456789}]}'
    assert page(content).lines == b'{"a":1.10,"b":3.0,"c":12345678901234567890.123456789}\n'


def test_numbers_that_are_none_become_text() -> None:
    cut = page(b'{"value":[{"a":NaN},{"a":-Infinity},{"a":"NaN"}]}')
    found = [json.loads(line)["a"] for line in cut.lines.splitlines()]
    assert found == ["NaN", "-Infinity", "NaN"]


def test_escapes_that_name_no_character_are_replaced_and_no_others() -> None:
    content = rb'{"value":[{"a":"\u0000 \\u0000 \ud83d\ude00 \ud83d \u00e5"}]}'
    assert page(content).lines == rb'{"a":"\ufffd \\u0000 \ud83d\ude00 \ufffd \u00e5"}' + b"\n"


@pytest.mark.parametrize(
    "content", [b"", b'{"value":[{"a":1}', b'{"value":[{"a":1}]', b"[]", b'{"rows":[]}', b"<html>"]
)
def test_a_page_that_is_not_whole_is_no_page(content: bytes) -> None:
    with pytest.raises(TruncatedAnswerError):
        page(content)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_csv_values_come_as_they_were_sent(rows: list[tuple[str, str]]) -> None:
    fields = [[value.replace("\0", "\ufffd") for value in row] for row in rows]
    quoted = [",".join('"' + v.replace('"', '""') + '"' for v in row) for row in fields]
    content = "\n".join(['"Id","Name"', *quoted]) + "\n"
    cut = csv_page(content.encode("utf-8", "replace"), keep=["Id", "Name"])
    held = [[v.encode("utf-8", "replace").decode() for v in row] for row in fields]
    assert [list(row) for row in zip(*cut.values.values(), strict=True)] == held
    assert cut.count == len(held)
    found = [json.loads(line) for line in cut.lines.splitlines()]
    assert found == [{"Id": a or None, "Name": b or None} for a, b in held]


def test_csv_words_that_look_like_nothing_are_text() -> None:
    found = csv_page(b'"a","b","c","d"\n"NA","null","0.0",""\n').lines
    assert found == b'{"a":"NA","b":"null","c":"0.0","d":null}\n'


@pytest.mark.parametrize(
    "content", [b'"a","b"\n"1","2', b'"a","b"\n"1"', b'"a","b"\n"1","2","3"\n']
)
def test_a_csv_page_that_ends_within_a_record_is_no_page(content: bytes) -> None:
    with pytest.raises(TruncatedAnswerError):
        csv_page(content)


@pytest.mark.parametrize("text", ['"a","b"\n"1","2"\n', '"1","2"\n'])
def test_a_header_may_be_there_or_not_once_the_columns_are_known(text: str) -> None:
    assert csv_page(text.encode(), ["a", "b"], keep=["b"]).values == {"b": ["2"]}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05.000+0000",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T05:04:05+02:00",
        "2026-01-02T03:04:05Z",
    ],
)
def test_timestamps_have_one_spelling(text: str) -> None:
    assert stamp(text) == "2026-01-02T03:04:05.000Z"


def test_a_version_names_the_row_only_while_its_second_may_go_on() -> None:
    assert version_of("2026-01-01", b"{}", fresh_from="2026-01-02") == "2026-01-01"
    first, second = (version_of("2026-01-03", row, "2026-01-02") for row in (b"1", b"2"))
    assert first != second
    assert first.startswith("2026-01-03#")


def test_pages_of_one_kind_are_joined_and_deletes_kept_apart() -> None:
    pages = [
        Page({"at": 1}, b"a\n", ["a"], ["1"]),
        Page({"at": 2}, b"b\n", ["b"], ["2"], gone={"b"}),
        Page({"at": 3}, b"c\n", ["c"], ["3"], operation="delete"),
    ]
    first, second = together(pages)
    assert (first.lines, first.keys, first.state) == (b"a\nb\n", ["a", "b"], {"at": 2})
    assert (second.operation, second.state) == ("delete", {"at": 3})


def test_secrets_are_taken_out_of_texts() -> None:
    secrets = Secrets(["s3cret-value"])
    secrets.add("00Dxx!token")
    text = 'Bearer abc.def, {"client_secret":"xyz"}, assertion=qqq&x=1, s3cret-value, 00Dxx!token'
    hidden = secrets.hide(text)
    for secret in ("abc.def", "xyz", "qqq", "s3cret-value", "00Dxx!token"):
        assert secret not in hidden
    assert "s3cret" not in repr(secrets)
