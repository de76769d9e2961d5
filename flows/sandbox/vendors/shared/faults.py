"""Faults on request: which requests they hit, how often, and what becomes of the answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.sandbox.vendors.shared.replies import Reply

HTML = "text/html; charset=UTF-8"


@dataclass
class Fault:
    """One fault: it passes over the first `skip` requests that it fits and hits the next `times`.

    `status`, `body` and `headers` answer instead of the server. `cut_at` sends so many bytes of
    the answer (a share of it, below 1) and breaks the connection. `drop` breaks it unanswered:
    before the request is done, or with `is_applied` after. `without` takes headers away,
    `replace` puts other text in the answer, `change` does to it what Python can.
    """

    path: str = ""
    method: str = ""
    skip: int = 0
    times: int = 1
    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    cut_at: float | None = None
    delay_seconds: float = 0.0
    drop: bool = False
    is_applied: bool = False
    change: Callable[[Reply], Reply] | None = None
    name: str = ""
    hits: int = 0

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Fault":
        """Read a fault as it comes over the wire."""
        known = dict(content)
        known["without"] = tuple(known.get("without", ()))
        known["replace"] = tuple((old, new) for old, new in known.get("replace", ()))
        return cls(**known)

    def fits(self, method: str, target: str) -> bool:
        """Say whether a request is one of those meant."""
        return (not self.method or self.method == method) and bool(re.search(self.path, target))

    def strikes(self, method: str, target: str) -> bool:
        """Say whether it hits this request, and count the request."""
        if self.times <= 0 or not self.fits(method, target):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        self.hits += 1
        return True

    @property
    def answers(self) -> bool:
        """Whether the server's own answer is never asked for."""
        return not self.is_applied and (self.drop or self.status is not None)

    def altered(self, reply: Reply) -> Reply:
        """Return what is left of an answer."""
        if self.status is not None:
            return Reply(self.status, self.body.encode(), {"Content-Type": HTML, **self.headers})
        gone = {name.lower() for name in self.without}
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in gone}
        body = reply.body
        for old, new in self.replace:
            body = body.replace(old.encode(), new.encode())
        if body != reply.body:
            kept = {name: value for name, value in kept.items() if name.lower() != "content-length"}
        altered = Reply(reply.status, body, {**kept, **self.headers})
        return self.change(altered) if self.change else altered


def bytes_sent(cut_at: float, body: bytes) -> int:
    """Return how much of a body leaves before the connection breaks."""
    return int(len(body) * cut_at) if cut_at < 1 else int(cut_at)
