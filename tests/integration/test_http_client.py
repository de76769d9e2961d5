"""The client of all sources behind HTTP, against a server that answers what a script says."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.core.errors import (
    NotPermittedError,
    QuotaReachedError,
    SourceRefusedError,
    SourceUnavailableError,
    UnknownOutcomeError,
)
from flows.sources.http import (
    CommonDialect,
    HttpClient,
    Meter,
    PageGuard,
    Patience,
    Request,
    Secrets,
    Token,
    Tokens,
    json_page,
)

JSON = {"Content-Type": "application/json"}
PAGE = b'{"value":[{"id":"1"},{"id":"2"}]}'


@dataclass
class Reply:
    """One scripted answer; a body that is cut keeps the length that was announced."""

    status: int = 200
    body: bytes = PAGE
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    cut_at: int | None = None
    is_dropped: bool = False


class Server:
    """Answers with its script, reply by reply, the last one for ever."""

    def __init__(self, *script: Reply) -> None:
        self.script = list(script)
        self.requests: list[tuple[str, str, str | None]] = []
        handler = type("Handler", (_Handler,), {"server_": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next_reply(self) -> Reply:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = (self.command, self.path, self.headers.get("Authorization"))
        self.server_.requests.append(seen)
        reply = self.server_.next_reply()
        if reply.is_dropped:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: reply.cut_at])
        if reply.cut_at is not None:
            self.close_connection = True

    do_POST = do_PATCH = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[Server] = []

    def start(*script: Reply) -> Server:
        servers.append(Server(*script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@dataclass
class Asked:
    """A client, and how long it waited each time."""

    client: HttpClient
    waits: list[float]

    def read(self, url: str = "/rows", **options: Any) -> Any:
        request = Request(url, "read rows", **options)
        return self.client.read(request, lambda answer: json_page(answer, "value")).rows


def client_of(server: Server, *, tokens: Tokens | None = None, meter: Meter | None = None) -> Asked:
    waits: list[float] = []
    client = HttpClient(
        CommonDialect(),
        meter=meter or Meter("erp"),
        secrets=Secrets(["hunter2-secret"]),
        base_url=server.url,
        tokens=tokens,
        patience=Patience(attempts=4, first_wait=1.0, longest_wait=60.0),
        sleep=waits.append,
    )
    return Asked(client, waits)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=503, body=b"<html>busy</html>", headers={"Content-Type": "text/html"}),
        Reply(status=406, body=b"", headers={}),
        Reply(status=420, body=b"<html>x</html>", headers={"Content-Type": "text/html"}),
        Reply(status=200, body=b"<html>login</html>", headers={"Content-Type": "text/html"}),
        Reply(status=200, body=PAGE[:-2]),
        Reply(status=200, body=b""),
        Reply(cut_at=10),
        Reply(cut_at=0),
        Reply(is_dropped=True),
    ],
)
def test_what_passes_is_asked_for_again(serve: Any, reply: Reply) -> None:
    """F15, F16: cut bodies, odd statuses and pages for people are no data."""
    server = serve(reply, reply, Reply())
    asked = client_of(server)
    assert [row["id"] for row in asked.read()] == ["1", "2"]
    assert len(asked.waits) == 2
    assert asked.waits[1] > asked.waits[0] / 2


@pytest.mark.parametrize(("status", "kind"), [(400, SourceRefusedError), (403, NotPermittedError)])
def test_what_will_not_pass_is_asked_once(serve: Any, status: int, kind: type[Exception]) -> None:
    server = serve(Reply(status=status, body=b'{"error":"no"}'))
    with pytest.raises(kind, match="no"):
        client_of(server).read()
    assert len(server.requests) == 1


def test_patience_ends(serve: Any) -> None:
    server = serve(Reply(status=500, body=b"", headers={}))
    with pytest.raises(SourceUnavailableError, match="4 attempts"):
        client_of(server).read()
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("7", 7, 8), ("0", 0, 1), ("-5", 0, 1), ("nonsense", 0.5, 1), ("nan", 0.5, 1)],
)
def test_f17_a_wait_that_is_asked_for_is_kept(
    serve: Any, header: str, least: float, most: float
) -> None:
    """F17: seconds, none, negative, nonsense."""
    server = serve(Reply(status=429, headers={**JSON, "Retry-After": header}), Reply())
    asked = client_of(server)
    asked.read()
    assert least <= asked.waits[0] <= most


def test_f17_a_wait_until_a_date_is_kept(serve: Any) -> None:
    """F17: Retry-After as an HTTP date."""
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 20))
    asked = client_of(serve(Reply(status=429, headers={**JSON, "Retry-After": date}), Reply()))
    asked.read()
    assert 15 < asked.waits[0] < 21


def test_f17_a_wait_of_a_day_stops_the_run(serve: Any) -> None:
    """F17: a huge Retry-After is no wait but the end of the day."""
    asked = client_of(serve(Reply(status=429, headers={**JSON, "Retry-After": "86400"})))
    with pytest.raises(QuotaReachedError, match="86,400 seconds"):
        asked.read()
    assert asked.waits == []


def test_f17_calls_that_are_kept_for_others_are_not_made(serve: Any) -> None:
    """F17: the reserve of the day's calls stays untouched."""
    server = serve(Reply())
    asked = client_of(server, meter=Meter("erp", daily_calls=10, reserve=0.2))
    for _ in range(8):
        asked.read()
    with pytest.raises(QuotaReachedError, match="8 of 10 calls"):
        asked.read()
    assert len(server.requests) == 8


@pytest.mark.parametrize("reply", [Reply(is_dropped=True), Reply(status=504), Reply(cut_at=5)])
def test_f21_a_write_whose_outcome_is_unknown_is_not_sent_again(serve: Any, reply: Reply) -> None:
    """F21: a lost reply must not become a second order."""
    server = serve(reply)
    with pytest.raises(UnknownOutcomeError):
        client_of(server).read(method="POST", body=b"{}", is_repeatable=False)
    assert len(server.requests) == 1


def test_f21_a_write_that_was_turned_away_is_sent_again(serve: Any) -> None:
    """F21: 429 says that nothing was done."""
    server = serve(Reply(status=429), Reply())
    client_of(server).read(method="POST", body=b"{}", is_repeatable=False)
    assert len(server.requests) == 2


def test_f21_a_write_that_never_left_is_sent_again() -> None:
    """F21: without a connection there was no order."""
    nobody = Server(Reply())
    nobody.close()
    asked = client_of(nobody)
    with pytest.raises(SourceUnavailableError):
        asked.read(method="POST", body=b"{}", is_repeatable=False)
    assert len(asked.waits) == 3


def counting_tokens() -> tuple[Tokens, list[Token]]:
    given: list[Token] = []

    def fetch() -> Token:
        given.append(Token(f"token-number-{len(given) + 1}"))
        return given[-1]

    return Tokens(fetch), given


def test_f18_a_token_is_renewed_once_and_the_call_repeated(serve: Any) -> None:
    """F18: a session ends in the middle of a run."""
    tokens, given = counting_tokens()
    server = serve(Reply(), Reply(status=401), Reply())
    asked = client_of(server, tokens=tokens)
    asked.read()
    asked.read()
    assert len(given) == 2
    assert [used for _, _, used in server.requests] == [
        "Bearer token-number-1",
        "Bearer token-number-1",
        "Bearer token-number-2",
    ]


def test_f18_a_token_that_is_never_taken_fails_after_one_renewal(serve: Any) -> None:
    """F18: a permanent 401 is not a loop."""
    tokens, given = counting_tokens()
    server = serve(Reply(status=401, body=b"hunter2-secret is wrong", headers={}))
    with pytest.raises(NotPermittedError) as raised:
        client_of(server, tokens=tokens).read()
    assert (len(given), len(server.requests)) == (2, 2)
    assert "hunter2-secret" not in str(raised.value)


def test_f18_many_readers_share_one_renewal() -> None:
    """F18: refresh is single-flight."""
    tokens, given = counting_tokens()
    ended = tokens.current()
    threads = [threading.Thread(target=tokens.refused, args=(ended,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 2


def test_f18_a_token_is_renewed_before_it_ends() -> None:
    """F18: where the vendor says when a token ends, nobody waits for the refusal."""
    given: list[Token] = []

    def fetch() -> Token:
        given.append(Token("short-lived", expires_at=time.monotonic() + 30))
        return given[-1]

    tokens = Tokens(fetch)
    tokens.current()
    tokens.current()
    assert len(given) == 2


def test_f18_the_newest_token_says_which_server_to_ask(serve: Any) -> None:
    """F18: the instance moves."""
    server = serve(Reply())
    tokens = Tokens(lambda: Token("moved-instance", base_url=server.url))
    elsewhere = HttpClient(
        CommonDialect(), meter=Meter("x"), secrets=Secrets(), base_url="http://old", tokens=tokens
    )
    elsewhere.read(Request("/rows", "read"), lambda answer: answer.status)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "/rows?$skiptoken=%2525a%2Fb%20c&x=1+2",
        "/rows//deep?cookie=%3Ccookie%2520page%3D%222%22%3E",
        "rows?aid=FIN&$filter=a%20eq%20%27b%27",
    ],
)
def test_f12_links_are_followed_to_the_letter(serve: Any, link: str) -> None:
    """F12: continuation links are opaque."""
    server = serve(Reply())
    client_of(server).read(link)
    client_of(server).read(f"{server.url}/{link.removeprefix('/')}")
    assert {path for _, path, _ in server.requests} == {f"/{link.removeprefix('/')}"}


def test_f12_a_link_to_another_host_gets_no_token(serve: Any) -> None:
    """F12: a token goes nowhere but to the server it is for."""
    server, other = serve(Reply()), serve(Reply())
    tokens, _ = counting_tokens()
    with pytest.raises(SourceRefusedError, match="another host"):
        client_of(server, tokens=tokens).read(f"{other.url}/rows")
    assert other.requests == []


def test_f10_a_page_that_was_read_before_ends_the_walk() -> None:
    """F10: a link to itself, or round in a circle."""
    guard = PageGuard("Rows")
    guard.passed(5, "/a")
    guard.passed(5, "/b")
    with pytest.raises(SourceRefusedError, match="never end"):
        guard.passed(5, "/a")


def test_f10_empty_pages_that_promise_more_end_the_walk() -> None:
    """F10: an empty page may happen, not one after the other."""
    guard = PageGuard("Rows")
    guard.passed(0, "/1")
    guard.passed(3, "/2")
    guard.passed(0, "/3")
    guard.passed(0, "/4")
    with pytest.raises(SourceRefusedError, match="empty"):
        guard.passed(0, "/5")


def test_packed_answers_are_unpacked(serve: Any) -> None:
    packed = Reply(body=gzip.compress(PAGE), headers={**JSON, "Content-Encoding": "gzip"})
    assert len(client_of(serve(packed)).read()) == 2


def test_rows_of_a_large_page_come_as_they_were_sent(serve: Any) -> None:
    rows = b",".join(b'{"id":"%d","amount":%d.10}' % (n, n) for n in range(5000))
    server = serve(Reply(body=b'{"value":[' + rows + b"]}"))
    request = Request("/rows", "read")
    page = client_of(server).client.read(request, lambda answer: json_page(answer, "value"))
    lines = page.lines.splitlines()
    assert lines[7] == b'{"id":"7","amount":7.10}'
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in page.rows]
