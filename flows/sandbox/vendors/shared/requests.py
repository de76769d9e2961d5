"""A request, whichever way it came: alone or inside another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from re import Pattern
from re import compile as compiled
from typing import Any

from flows.sandbox.vendors.shared.replies import Reply


@dataclass
class Request:
    """What is asked for; header names are in lower case."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = ""
    url: str = ""


Handler = Callable[..., Reply]


class Router:
    """Finds what answers a request."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, Pattern[str], Handler]] = []

    def on(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Register what answers a method on the paths that fit a pattern."""

        def register(handler: Handler) -> Handler:
            self._routes.append((method, compiled(pattern), handler))
            return handler

        return register

    def find(self, request: Request) -> tuple[Handler, dict[str, Any]] | list[str]:
        """Return the handler with the parts of the path, or the methods that would do."""
        others: list[str] = []
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler, match.groupdict()
            if match:
                others.append(method)
        return others
