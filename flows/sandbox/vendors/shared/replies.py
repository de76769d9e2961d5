"""An answer on its way out, where faults can still get at it."""

import gzip
from dataclasses import dataclass, field

import orjson


@dataclass
class Reply:
    """Status, headers and body of one answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, content: object, **headers: str) -> "Reply":
        """Return an answer with JSON in it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(
            status,
            orjson.dumps(content),
            {"Content-Type": "application/json;charset=UTF-8", **named},
        )


class RefusalError(Exception):
    """A request that the vendor refuses, with the answer that it gives."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body!r}")
        self.reply = reply


def compressed(reply: Reply, accepted: str) -> Reply:
    """Return the answer packed, for who can unpack it."""
    if "gzip" not in accepted or not reply.body:
        return reply
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return Reply(reply.status, gzip.compress(reply.body, 1, mtime=0), headers)
