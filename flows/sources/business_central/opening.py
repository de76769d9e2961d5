"""What an incremental run of an object begins with: all companies' first pages in one call.

Every company is asked what changed, which open documents it has and how many records there are,
so that a run in which nothing happened is over after one call for the object.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from flows.core.errors import SourceRefusedError, TruncatedAnswerError
from flows.sources.business_central.api import BusinessCentralApi, FirstPage, number_in
from flows.sources.business_central.batch import MOST_IN_BATCH, Question
from flows.sources.business_central.queries import Company, Query, asking, counting
from flows.sources.http import Answer, json_page

MOST_QUESTIONS = 3  # about one company
COMPANIES_AT_ONCE = MOST_IN_BATCH // MOST_QUESTIONS

Asked = Sequence[tuple[Company, Query]]


@dataclass(frozen=True)
class Opening:
    """The first pages by company's id and query, and how many records these companies have."""

    pages: Mapping[tuple[str, Query], FirstPage]
    count: int | None


def opening(api: BusinessCentralApi, name: str, asked: Asked) -> Opening:
    """Ask for the first pages of several companies, and count their records.

    What the batch does not answer is missing here, to be asked for by itself: then it is waited
    for, or refused with a reason.
    """
    companies = list(dict.fromkeys(company for company, _ in asked))
    with_lines = any(query.expand for _, query in asked)
    # Together they hold as many rows as one page has that is asked for alone.
    size = max(api.options.rows_a_page(with_lines=with_lines) // len(companies), 1)
    lists = [Question(query.path(company), asking(size, query)) for company, query in asked]
    counts = [counting(company, name) for company in companies]
    try:
        answers = api.batch([*lists, *counts], f"list {name}")
    except SourceRefusedError:
        return Opening({}, None)
    return Opening(_pages(asked, answers, size), _sum(answers[len(asked) :]))


def _pages(
    asked: Asked, answers: Sequence[Answer], size: int
) -> Mapping[tuple[str, Query], FirstPage]:
    found: dict[tuple[str, Query], FirstPage] = {}
    for (company, query), answer in zip(asked, answers, strict=False):
        with suppress(TruncatedAnswerError):
            if answer.is_success:
                found[company.id, query] = FirstPage(json_page(answer, "value"), size)
    return found


def _sum(answers: Sequence[Answer]) -> int | None:
    numbers = [number_in(answer) for answer in answers]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
