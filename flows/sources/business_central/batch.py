"""Several questions in one call: `$batch` as JSON, its answers taken apart byte for byte."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from requests.structures import CaseInsensitiveDict

from flows.core.errors import TruncatedAnswerError
from flows.sources.http import Answer, Request

MOST_IN_BATCH = 100
_DECODER = json.JSONDecoder(parse_constant=str)
_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Question:
    """One question of a batch; its address begins below that of the API."""

    url: str
    headers: Mapping[str, str]


def batch_of(questions: Sequence[Question], purpose: str, headers: Mapping[str, str]) -> Request:
    """Return the request that asks them all, in an order that the answers can be put back into."""
    wanted = [
        {"id": str(place), "method": "GET", "url": one.url, "headers": dict(one.headers)}
        for place, one in enumerate(questions)
    ]
    return Request(
        "$batch",
        purpose,
        "POST",
        headers={**headers, "Content-Type": "application/json"},
        body=json.dumps({"requests": wanted}).encode(),
    )


def answers_in(answer: Answer, count: int) -> Sequence[Answer]:
    """Return the answers in the order of the questions, each with its own status.

    Raises TruncatedAnswerError where one is missing. Numbers keep the spelling they were sent in.
    """
    text = answer.content.decode("utf-8-sig", "replace")
    try:
        found = dict(_answers(text))
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise TruncatedAnswerError(f"the batch cannot be read ({error})") from error
    if set(found) != {str(place) for place in range(count)}:
        raise TruncatedAnswerError(f"the batch has not the {count} answers asked for")
    return [found[str(place)] for place in range(count)]


def _answers(text: str) -> Iterator[tuple[str, Answer]]:
    for name, start in _members(text, _past(text, 0)):
        if name == "responses":
            for inner in _elements(text, start):
                yield _answer(text, inner)
            return


def _answer(text: str, position: int) -> tuple[str, Answer]:
    values: dict[str, Any] = {}
    body = b""
    for name, start in _members(text, position):
        values[name], end = _DECODER.raw_decode(text, start)
        if name == "body":
            # Plain text, such as a number of records, comes as a JSON text; JSON comes as it is.
            told = values[name]
            body = (told if isinstance(told, str) else text[start:end]).encode("utf-8", "replace")
    headers = CaseInsensitiveDict(values.get("headers") or {})
    return str(values["id"]), Answer(int(values["status"]), headers, body)


def _members(text: str, position: int) -> Iterator[tuple[str, int]]:
    """Yield the name of each member of the object that begins there, and where its value does."""
    if text[position] != "{":
        raise ValueError("no object")
    position = _past(text, position + 1)
    while text[position] != "}":
        name, position = _DECODER.raw_decode(text, position)
        start = _past(text, position, ":")
        yield name, start
        position = _past(text, _DECODER.raw_decode(text, start)[1], ",")


def _elements(text: str, position: int) -> Iterator[int]:
    """Yield where each element of the list that begins there does."""
    if text[position] != "[":
        raise ValueError("no list")
    position = _past(text, position + 1)
    while text[position] != "]":
        yield position
        position = _past(text, _DECODER.raw_decode(text, position)[1], ",")


def _past(text: str, position: int, sign: str = "") -> int:
    """Return the position after white space and the sign, where it is there."""
    while text[position] in _SPACE:
        position += 1
    return _past(text, position + 1) if sign and text[position] == sign else position
