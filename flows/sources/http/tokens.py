"""The life of an access token: fetched once however many ask, used until it ends, renewed once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

EARLY_SECONDS = 60.0


@dataclass(frozen=True)
class Token:
    """An access token; where the vendor says so, when it ends and which server it is for."""

    value: str = field(repr=False)
    expires_at: float | None = None  # on time.monotonic's clock
    base_url: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, or is about to."""
        return self.expires_at is not None and time.monotonic() > self.expires_at - EARLY_SECONDS


class Tokens:
    """Hands out the current token; `fetch` gets a new one from the vendor."""

    def __init__(self, fetch: Callable[[], Token]) -> None:
        self._fetch = fetch
        self._lock = Lock()
        self._current: Token | None = None

    def current(self) -> Token:
        """Return a token that has not ended, fetched when there is none."""
        with self._lock:
            if self._current is None or self._current.has_ended:
                self._renew()
            assert self._current is not None  # noqa: S101 - just renewed
            return self._current

    def refused(self, token: Token) -> Token:
        """Return another token than this one, which the vendor no longer takes.

        Whoever comes second gets what the first one fetched.
        """
        with self._lock:
            if self._current is token or self._current is None:
                self._renew()
            assert self._current is not None  # noqa: S101 - just renewed
            return self._current

    def _renew(self) -> None:
        self._current = self._fetch()
