"""Batches of Business Central: taken apart without touching a byte of what they hold."""

import json

import pytest

from flows.core.errors import TruncatedAnswerError
from flows.sources.business_central.api import number_in
from flows.sources.business_central.batch import Question, answers_in, batch_of
from flows.sources.http import Answer, json_page


def batch(content: str) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, content.encode())


def one_answer(body: str) -> str:
    return '{"responses":[{"id":"0","status":200,"body":' + body + "}]}"


def test_every_answer_comes_with_its_status_in_the_order_of_the_questions() -> None:
    found = answers_in(
        batch(
            '{"@odata.context":"x", "responses" : [ {"id":"1","status":404,"headers":{},"body":'
            '{"error":{"code":"Internal_CompanyNotFound","message":"none"}}},\n {"status":200,'
            '"id":"0","headers":{"OData-Version":"4.0"},"body":{"value":[]}} ] }'
        ),
        2,
    )
    assert [one.status for one in found] == [200, 404]
    assert found[0].headers["odata-version"] == "4.0"


def test_numbers_within_a_batch_keep_their_spelling() -> None:
    row = '{"id":"a","creditLimit":12345678901234567890.10,"name":"}],\\"[{\\u00e9"}'
    (one,) = answers_in(batch(one_answer('{"value":[' + row + "]}")), 1)
    assert json_page(one, "value").lines == row.encode() + b"\n"


@pytest.mark.parametrize("body", ['"12"', "12", '"\\ufeff12"'])
def test_a_count_may_come_as_text_or_as_a_number(body: str) -> None:
    (one,) = answers_in(batch(one_answer(body)), 1)
    assert number_in(one) == 12


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"responses":[]}',
        '{"responses":[{"id":"0","status":200,"body":{"value":[',
        '{"responses":[{"status":200}]}',
        '{"responses":[{"id":"7","status":200}]}',
    ],
)
def test_f15_a_batch_that_is_not_whole_is_no_batch(content: str) -> None:
    """F15: what is missing is not taken for empty."""
    with pytest.raises(TruncatedAnswerError):
        answers_in(batch(content), 1)


def test_a_batch_asks_only_and_in_english() -> None:
    """F19: the language changes how dates and errors are written, within a batch too."""
    questions = [Question("companies(a)/customers", {"Accept-Language": "en-US"})]
    request = batch_of(questions, "list customers", {})
    wanted = json.loads(request.body or b"")["requests"]
    assert [(one["method"], one["headers"]["Accept-Language"]) for one in wanted] == [
        ("GET", "en-US")
    ]
