"""What a test or a trainer may do to a server while it runs, from Python or over HTTP."""

import inspect
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import Response

from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.faults import Fault
from flows.sandbox.vendors.shared.gate import CONTROL, Gate, Trigger
from flows.sandbox.vendors.shared.named_faults import Faults
from flows.sandbox.vendors.shared.quota import Quota
from flows.sandbox.vendors.shared.replies import Reply
from flows.sandbox.vendors.shared.rules import Rules


class Script:
    """The commands that every server takes.

    Over HTTP each public method is `POST /sandbox/<name>` with its arguments as a JSON object.
    """

    named: Mapping[str, Faults] = MappingProxyType({})

    def __init__(self, gate: Gate, clock: Clock, rules: Rules, quota: Quota) -> None:
        self.gate = gate
        self.clock = clock
        self.rules = rules
        self.quota_left = quota

    def fault(self, **what: Any) -> None:  # noqa: ANN401 - the fields of a fault
        """Let requests go wrong; see `Fault` for what can be said."""
        self.gate.faults.append(Fault.from_json(what))

    def inject(self, name: str) -> None:
        """Let a fault happen that has a name."""
        if name not in self.named:
            raise LookupError(f"There is no fault {name}; there are {', '.join(self.named)}.")
        for what in self.named[name]:
            self.fault(**what)

    def when(
        self,
        path: str,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        skip: int = 0,
        times: int = 1,
    ) -> None:
        """Give a command just before a request to a path is answered, between two pages say."""
        method = commands(self)[command]
        given = dict(arguments or {})
        on = Fault(path=path, skip=skip, times=times)
        self.gate.triggers.append(Trigger(on, lambda: method(**given)))

    def clear_faults(self) -> None:
        """Let everything go well again."""
        self.gate.faults.clear()
        self.gate.triggers.clear()

    def calls(self) -> list[dict[str, Any]]:
        """Return the requests that were made so far."""
        return [
            {"method": call.method, "target": call.target, "status": call.status}
            for call in self.gate.calls
        ]

    def forget_calls(self) -> None:
        """Start counting requests anew."""
        self.gate.calls.clear()

    def set_clock(self, now: str) -> str:
        """Stop the clock at a time."""
        self.clock.set(datetime.fromisoformat(now))
        return self.clock.now().isoformat()

    def advance_clock(self, seconds: float) -> str:
        """Let time pass."""
        self.clock.advance(seconds)
        return self.clock.now().isoformat()

    def rule(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of the rules
        """Set a result cap, a page size, repeated rows, a page that leads to itself..."""
        for name, value in changes.items():
            if not hasattr(self.rules, name):
                raise AttributeError(f"There is no rule named {name}.")
            setattr(self.rules, name, value)

    def hide_rows(self, table: str, keys: list[str]) -> None:
        """Take the right to see some rows away; an empty list of keys gives it back."""
        kept = {one for one in self.rules.hidden_rows if one[0] != table}
        self.rules.hidden_rows = kept | {(table, key) for key in keys}

    def withhold_rows(self, table: str, keys: list[str]) -> None:
        """Let the server forget rows in its lists, though it counts them; empty to remember."""
        kept = {one for one in self.rules.withheld_rows if one[0] != table}
        self.rules.withheld_rows = kept | {(table, key) for key in keys}

    def quota(self, most: int, within_seconds: float | None = None) -> None:
        """Allow so many calls."""
        self.quota_left.most = most
        if within_seconds is not None:
            self.quota_left.within = timedelta(seconds=within_seconds)


def commands(script: Script) -> Mapping[str, Any]:
    """Return the commands by name."""
    return {
        name: method
        for name, method in inspect.getmembers(script, inspect.ismethod)
        if not name.startswith("_")
    }


def add_control(app: FastAPI, script: Script) -> None:
    """Take commands over HTTP."""

    @app.post(CONTROL + "{name}")
    async def command(http: HttpRequest, name: str) -> Response:
        method = commands(script).get(name)
        if method is None:
            reply = Reply.of_json(
                404, {"error": f"no command {name}", "commands": sorted(commands(script))}
            )
            return Response(reply.body, reply.status, reply.headers)
        arguments = await http.json() if await http.body() else {}
        try:
            reply = Reply.of_json(200, method(**arguments))
        except (TypeError, LookupError, ValueError, AttributeError) as error:
            reply = Reply.of_json(400, {"error": str(error)})
        return Response(reply.body, reply.status, reply.headers)
