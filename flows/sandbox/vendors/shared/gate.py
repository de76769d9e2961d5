"""The way every request takes: written down, hit by faults, answered by the server."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.faults import Fault, bytes_sent
from flows.sandbox.vendors.shared.replies import Reply

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

CONTROL = "/sandbox/"


@dataclass(frozen=True)
class Call:
    """One request that was made."""

    method: str
    target: str
    status: int


@dataclass(frozen=True)
class Trigger:
    """Something that happens just before a request is answered; `on` says before which."""

    on: Fault
    happen: Callable[[], object]


class Gate:
    """Stands before a server; it knows what was asked and breaks what it is told to break."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self.faults: list[Fault] = []
        self.triggers: list[Trigger] = []
        self.calls: list[Call] = []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        target = scope["path"] + (
            f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        )
        for trigger in self.triggers:
            if trigger.on.strikes(scope["method"], target):
                trigger.happen()
        fault = self._fault_for(scope["method"], target)
        if fault and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        is_unanswered = fault is not None and fault.answers
        reply = Reply(0) if is_unanswered else await self._answer(scope, receive)
        if fault:
            reply = fault.altered(reply)
        self.calls.append(Call(scope["method"], target, reply.status))
        await self._deliver(reply, fault, send)

    def _fault_for(self, method: str, target: str) -> Fault | None:
        return next((one for one in self.faults if one.strikes(method, target)), None)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> Reply:
        reply = Reply(500)
        chunks: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {
                    name.decode("latin-1"): value.decode("latin-1")
                    for name, value in message["headers"]
                }
            else:
                chunks.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        reply.body = b"".join(chunks)
        return reply

    async def _deliver(self, reply: Reply, fault: Fault | None, send: Send) -> None:
        if fault and fault.drop:
            _break(send)
            return
        await send(self._start(reply))
        if fault and fault.cut_at is not None:
            part = reply.body[: bytes_sent(fault.cut_at, reply.body)]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            _hang_up(send)
            return
        await send({"type": "http.response.body", "body": reply.body})

    def _start(self, reply: Reply) -> Message:
        headers = {
            **{name.lower(): value for name, value in reply.headers.items()},
            "date": format_datetime(self._clock.now(), usegmt=True),
        }
        headers.setdefault("content-length", str(len(reply.body)))
        return {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }


def _break(send: Send) -> None:
    """Reset the connection: the client never hears whether its request arrived."""
    _transport(send).abort()


def _hang_up(send: Send) -> None:
    """Close the connection once what was sent has left, in the middle of a body."""
    _transport(send).close()


def _transport(send: Send) -> asyncio.Transport:
    # ASGI has no word for a broken connection; uvicorn's request knows its transport.
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    return transport
