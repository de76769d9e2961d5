"""What a server answered, and what is to be done about it: told by what it says, not by a guess."""

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

LONGEST_EXCERPT = 300
OK, REDIRECTED, BAD_REQUEST, UNAUTHORISED, FORBIDDEN = 200, 300, 400, 401, 403
TIMED_OUT, CONFLICT, TOO_MANY, SERVER_ERRORS = 408, 409, 429, 500
# Vendors' gateways answer with these, without JSON, while they are busy with themselves.
BUSY_WITHOUT_A_WORD = (406, 420, 425)


class Action(Enum):
    """What is to be done about an answer."""

    USE = "use"
    RETRY = "retry"  # it will pass; `wait` says when, where the server does
    AUTHENTICATE = "authenticate"  # the token is no longer good; a new one may be
    STOP_FOR_QUOTA = "stop for quota"  # no more calls today
    REFUSE = "refuse"  # asking again gives the same answer


@dataclass(frozen=True)
class Answer:
    """A complete answer: its body has the length that was announced."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    url: str = field(repr=False, default="")

    @property
    def is_success(self) -> bool:
        """Whether the status says that it worked."""
        return OK <= self.status < REDIRECTED

    @property
    def content_type(self) -> str:
        """The media type, in lower case, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the body claims to be JSON, or looks like it where it claims nothing."""
        if self.content_type:
            return "json" in self.content_type
        return self.content.lstrip()[:1] in (b"{", b"[")

    def json(self) -> Any:  # noqa: ANN401 - whatever the server sent
        """Return the body as values, None where it is no JSON; never raises."""
        try:
            return json.loads(self.content.removeprefix(BOM_UTF8))
        except ValueError:
            return None

    def excerpt(self) -> str:
        """Return the beginning of the body, on one line."""
        text = self.content[: 4 * LONGEST_EXCERPT].decode("utf-8", "replace")
        return " ".join(text.split())[:LONGEST_EXCERPT]


@dataclass(frozen=True)
class Judgement:
    """What is to be done, after how long, and why."""

    action: Action
    reason: str = ""
    wait: float | None = None
    is_about_permission: bool = False
    code: str = ""  # the vendor's own word for it


class Dialect(Protocol):
    """How one vendor says that something is wrong."""

    def judge(self, answer: Answer) -> Judgement:
        """Say what is to be done about an answer."""


class CommonDialect:
    """What holds for every vendor; one vendor's dialect asks it about what it does not know."""

    def judge(self, answer: Answer) -> Judgement:
        """Judge by status and kind of content."""
        if answer.is_success:
            return self.judge_success(answer)
        status, said = answer.status, f"HTTP {answer.status}: {answer.excerpt() or 'nothing'}"
        if status == UNAUTHORISED:
            return Judgement(Action.AUTHENTICATE, said)
        if status == TOO_MANY or status in (TIMED_OUT, *BUSY_WITHOUT_A_WORD):
            return Judgement(Action.RETRY, said)
        if status >= SERVER_ERRORS:
            return Judgement(Action.RETRY, said)
        return Judgement(Action.REFUSE, said, is_about_permission=status == FORBIDDEN)

    def judge_success(self, answer: Answer) -> Judgement:
        """Refuse to take a page for people (a login form, a notice) for data."""
        if answer.content_type == "text/html":
            return Judgement(
                Action.RETRY, f"HTTP {answer.status} with a web page: {answer.excerpt()}"
            )
        return Judgement(Action.USE)
