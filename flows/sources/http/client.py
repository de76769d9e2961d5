"""One client for every system behind HTTP: it retries what will pass, and nothing else."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from flows.core import clock
from flows.core.errors import (
    ConcordError,
    NotPermittedError,
    QuotaReachedError,
    SourceRefusedError,
    SourceUnavailableError,
    TruncatedAnswerError,
    UnknownOutcomeError,
)
from flows.sources.http.answers import SERVER_ERRORS, Action, Answer, Dialect, Judgement
from flows.sources.http.links import is_same_server
from flows.sources.http.quota import Meter, Usage
from flows.sources.http.redaction import Secrets
from flows.sources.http.tokens import Token, Tokens
from flows.sources.http.waiting import Patience, retry_after

Parsed = TypeVar("Parsed")

CONNECT_SECONDS, READ_SECONDS = 10.0, 130.0
LONGEST_BODY = 512 * 1024 * 1024
_BLOCK = 1024 * 1024


class SpeaksOfUsage(Dialect):
    """A dialect that also tells how many calls of the day are used."""

    def usage(self, answer: Answer) -> Usage | None:
        """Return what the answer says of the day's calls."""


@dataclass(frozen=True)
class Request:
    """What to ask for. `url` is a path below the base, or a link of the server taken verbatim."""

    url: str
    purpose: str  # for the ledger of calls: "query Account"
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    is_repeatable: bool = True  # asking twice has no other effect than asking once


class HttpClient:
    """Asks one system; safe to share by the readers of one connection, one call at a time.

    `tokens` is None for systems without, such as the token's own server. Nothing that it raises
    or keeps holds a secret.
    """

    def __init__(  # noqa: PLR0913 - one client, put together in one place per connector
        self,
        dialect: Dialect,
        *,
        meter: Meter,
        secrets: Secrets,
        base_url: str = "",
        tokens: Tokens | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.meter = meter
        self.secrets = secrets
        self._dialect = dialect
        self._base_url = base_url
        self._tokens = tokens
        self._patience = patience or Patience()
        self._sleep = sleep
        self._session = requests.Session()
        self._told_time: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the time by the system's own clock, by ours until it has said something."""
        if self._told_time is None:
            return clock.now()
        told, at = self._told_time
        return told + timedelta(seconds=time.monotonic() - at)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def read(self, request: Request, parse: Callable[[Answer], Parsed]) -> Parsed:
        """Ask until there is a complete answer that `parse` can read, and return what it made.

        `parse` raises TruncatedAnswerError for a body that ends too early, which is asked for
        again. Raises SourceUnavailableError when retries did not help, SourceRefusedError (or
        NotPermittedError) when they would not, QuotaReachedError when calls of the day run out,
        UnknownOutcomeError when a write may have happened.
        """
        started, authenticated = time.monotonic(), 0
        for attempt in count(1):
            self.meter.before()
            token = self._tokens.current() if self._tokens else None
            judgement, parsed = self._attempt(request, token, parse)
            if parsed is not None:
                return parsed[0]
            if judgement.action is Action.AUTHENTICATE and self._tokens and token:
                authenticated += 1
                if authenticated > 1:
                    raise self._error(NotPermittedError, request, judgement.reason)
                self._tokens.refused(token)
                continue
            self._raise_unless_it_passes(request, judgement)
            wait = self._patience.before(attempt + 1, judgement.wait)
            if (
                attempt >= self._patience.attempts
                or time.monotonic() - started + wait > self._patience.longest_time
            ):
                raise self._error(
                    SourceUnavailableError, request, f"{judgement.reason} ({attempt} attempts)"
                )
            self._sleep(wait)
        raise AssertionError

    def _attempt(
        self, request: Request, token: Token | None, parse: Callable[[Answer], Parsed]
    ) -> tuple[Judgement, tuple[Parsed] | None]:
        try:
            answer = self._exchange(request, token)
            judgement = self._dialect.judge(answer)
            if judgement.action is Action.USE:
                return judgement, (parse(answer),)
        except TruncatedAnswerError as error:
            self._refuse_to_repeat(request, str(error))
            return Judgement(Action.RETRY, str(error)), None
        except requests.RequestException as error:
            if not _was_never_sent(error):
                self._refuse_to_repeat(request, type(error).__name__)
            return Judgement(Action.RETRY, f"{type(error).__name__}: {error}"), None
        if judgement.action is Action.RETRY and answer.status >= SERVER_ERRORS:
            self._refuse_to_repeat(request, judgement.reason)
        if judgement.action is Action.RETRY and judgement.wait is None:
            asked = retry_after(answer.headers.get("Retry-After"))
            judgement = Judgement(Action.RETRY, judgement.reason, asked)
        return judgement, None

    def _exchange(self, request: Request, token: Token | None) -> Answer:
        prepared = self._prepared(request, token)
        # A redirect could take the token to another host; vendors' APIs use none.
        with self._session.send(
            prepared,
            stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        ) as response:
            content = _complete_body(response)
            url = prepared.url or ""
            answer = Answer(response.status_code, response.headers, content, url)
        self._note_time(answer.headers.get("Date"))
        usage = getattr(self._dialect, "usage", None)
        self.meter.after(request.purpose, len(content), usage(answer) if usage else None)
        return answer

    def _note_time(self, date: str | None) -> None:
        with suppress(TypeError, ValueError):
            told = parsedate_to_datetime(date or "")
            if told.tzinfo:
                self._told_time = (told, time.monotonic())

    def _prepared(self, request: Request, token: Token | None) -> requests.PreparedRequest:
        base = (token.base_url if token else None) or self._base_url
        url = urljoin(base.rstrip("/") + "/", request.url) if base else request.url
        if base and not is_same_server(url, base):
            raise self._error(
                SourceRefusedError,
                request,
                f"the next page is said to be on {urlsplit(url).netloc}: another host, or no https",
            )
        if request.params:
            url += ("&" if "?" in url else "?") + urlencode(request.params)
        headers = {"Accept": "application/json", **request.headers}
        if token:
            headers["Authorization"] = f"Bearer {token.value}"
        prepared = self._session.prepare_request(
            requests.Request(request.method, url, headers=headers, data=request.body)
        )
        prepared.url = url  # requests would spell it its own way; links are to be kept verbatim
        return prepared

    def _raise_unless_it_passes(self, request: Request, judgement: Judgement) -> None:
        if judgement.action is Action.STOP_FOR_QUOTA:
            raise self._error(QuotaReachedError, request, judgement.reason)
        if judgement.action is Action.RETRY and (judgement.wait or 0) > self._patience.longest_wait:
            reason = f"asked to wait for {judgement.wait:,.0f} seconds ({judgement.reason})"
            raise self._error(QuotaReachedError, request, reason)
        if judgement.action is not Action.RETRY:
            kind = NotPermittedError if judgement.is_about_permission else SourceRefusedError
            if judgement.action is Action.AUTHENTICATE:
                kind = NotPermittedError
            error = self._error(kind, request, judgement.reason)
            if isinstance(error, SourceRefusedError):
                error.code = judgement.code
            raise error

    def _refuse_to_repeat(self, request: Request, reason: str) -> None:
        if not request.is_repeatable:
            raise self._error(UnknownOutcomeError, request, reason)

    def _error(self, kind: type[ConcordError], request: Request, reason: str) -> ConcordError:
        text = self.secrets.hide(f"{self.meter.connection}, {request.purpose}: {reason}")
        return kind(text if text.endswith(".") else f"{text}.")


def _complete_body(response: requests.Response) -> bytes:
    """Read a body within bounds; raises TruncatedAnswerError when it ends before it should."""
    pieces: list[bytes] = []
    length = 0
    try:
        for piece in response.iter_content(_BLOCK):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_BODY:
                raise SourceRefusedError(
                    f"An answer is longer than {LONGEST_BODY // 1024**2} MB. Ask for smaller pages."
                )
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as error:
        raise TruncatedAnswerError(
            f"the answer broke off after {length:,} bytes ({type(error).__name__})"
        ) from error
    return b"".join(pieces) if len(pieces) != 1 else pieces[0]


def _was_never_sent(error: requests.RequestException) -> bool:
    """Tell whether the connection itself failed, so that the system cannot have acted."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)
