"""Who may ask: tokens of the identity platform, for an app that the tenant knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flows.sandbox.vendors.business_central.errors import refused
from flows.sandbox.vendors.shared.clock import Clock
from flows.sandbox.vendors.shared.keys import guid
from flows.sandbox.vendors.shared.replies import Reply

LOGIN_HOST = "https://login.microsoftonline.com"
SCOPE = "https://api.businesscentral.dynamics.com/.default"


@dataclass
class App:
    """The app registration of the integration."""

    client_id: str = guid("apps", "sandbox")
    client_secret: str = "sandbox-secret"  # noqa: S105 - it guards made-up data on loopback


@dataclass
class Sessions:
    """The tokens that were given out, each with its end."""

    clock: Clock
    app: App = field(default_factory=App)
    life: timedelta = timedelta(seconds=3599)
    _ends: dict[str, datetime] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def check(self, authorization: str) -> None:
        """Refuse a request without a token that is good."""
        scheme, _, token = authorization.partition(" ")
        end = self._ends.get(token)
        if scheme != "Bearer" or end is None or self.clock.now() >= end:
            message = "The server has rejected the client credentials."
            raise refused(401, "Authentication_InvalidCredentials", message)

    def expire(self) -> None:
        """End every session."""
        self._ends.clear()

    def grant(self, form: Mapping[str, str]) -> Reply:
        """Answer a request for a token."""
        if form.get("grant_type") != "client_credentials":
            return _refused(
                400, "unsupported_grant_type", 70003, "The grant type is not supported."
            )
        if form.get("client_id") != self.app.client_id:
            message = f"Application with identifier '{form.get('client_id')}' was not found."
            return _refused(400, "unauthorized_client", 700016, message)
        if form.get("client_secret") != self.app.client_secret:
            return _refused(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if SCOPE not in form.get("scope", "").split():
            message = f"The provided value for scope {form.get('scope')} is not valid."
            return _refused(400, "invalid_scope", 70011, message)
        token = f"eyJ.sandbox.{next(self._numbers)}"
        self._ends[token] = self.clock.now() + self.life
        seconds = int(self.life.total_seconds())
        content = {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": token,
        }
        return Reply.of_json(200, content)


def unknown_directory(name: str) -> Reply:
    """Refuse a tenant that does not exist."""
    return _refused(400, "invalid_request", 90002, f"Tenant '{name}' not found.")


def _refused(status: int, error: str, number: int, message: str) -> Reply:
    content = {
        "error": error,
        "error_description": f"AADSTS{number}: {message}",
        "error_codes": [number],
        "correlation_id": guid("correlation", number),
    }
    return Reply.of_json(status, content)


def discovery(directory: str) -> dict[str, Any]:
    """Return where tokens are given: at the vendor's own host, which clients insist on."""
    base = f"{LOGIN_HOST}/{directory}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "issuer": f"{base}/v2.0",
        "tenant_region_scope": "EU",
        "response_types_supported": ["token"],
    }
