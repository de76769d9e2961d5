"""Who may ask: access tokens, and what they are given for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from flows.sandbox.vendors.salesforce.errors import grant_refused, refused
from flows.sandbox.vendors.salesforce.org import INTEGRATION_USER, Org
from flows.sandbox.vendors.shared.encoding import from_base64url
from flows.sandbox.vendors.shared.replies import Reply

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_ASSERTION = timedelta(minutes=5)
AUDIENCES = frozenset(("https://login.salesforce.com", "https://test.salesforce.com"))


@dataclass
class App:
    """The external client app that the company made for the integration."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - it guards made-up data on loopback
    username: str = "sync.service@concord.example.sandbox"
    refresh_token: str = "sandbox-refresh"  # noqa: S105 - as above
    public_key: bytes | None = None


@dataclass
class Sessions:
    """The tokens that were given out."""

    org: Org
    app: App = field(default_factory=App)
    idle: timedelta = timedelta(minutes=120)
    host: str = ""
    granted: int = 0
    _used: dict[str, datetime] = field(default_factory=dict)

    def check(self, authorization: str) -> None:
        """Refuse a request without a token that is good."""
        scheme, _, token = authorization.partition(" ")
        if scheme not in ("Bearer", "OAuth"):
            raise refused(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        now = self.org.clock.now()
        used = self._used.get(token)
        if used is None or now - used > self.idle:
            raise refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self._used[token] = now

    def expire(self) -> None:
        """End every session."""
        self._used.clear()

    def grant(self, form: Mapping[str, str], url: str) -> Reply:
        """Answer a request for a token."""
        kind = form.get("grant_type", "")
        if kind == JWT_BEARER:
            self._check_assertion(form.get("assertion", ""), url)
        elif kind in ("client_credentials", "refresh_token"):
            self._check_client(form)
        else:
            raise grant_refused("unsupported_grant_type", "grant type not supported")
        if kind == "refresh_token" and form.get("refresh_token") != self.app.refresh_token:
            raise grant_refused("invalid_grant", "expired access/refresh token")
        return Reply.of_json(200, self._token(url))

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.app.client_id:
            raise grant_refused("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.app.client_secret:
            raise grant_refused("invalid_client", "invalid client credentials")

    def _check_assertion(self, assertion: str, url: str) -> None:
        """Refuse a JWT that is not signed by the app for a user of this org, or is too old."""
        header, claims = self._read(assertion)
        if header.get("alg") != "RS256":
            raise grant_refused("invalid_grant", "invalid assertion")
        if claims.get("iss") != self.app.client_id:
            raise grant_refused("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in AUDIENCES | {url}:
            raise grant_refused("invalid_grant", "audience is invalid")
        if claims.get("sub") != self.app.username:
            raise grant_refused("invalid_grant", "user hasn't approved this consumer")
        expires = datetime.fromtimestamp(float(claims.get("exp", 0)), UTC)
        now = self.org.clock.now()
        if not now < expires <= now + LONGEST_ASSERTION:
            raise grant_refused("invalid_grant", "assertion has expired")

    def _read(self, assertion: str) -> tuple[dict[str, object], dict[str, float | str]]:
        try:
            head, body, signature = assertion.split(".")
            signed = f"{head}.{body}".encode()
            self._key().verify(from_base64url(signature), signed, PKCS1v15(), SHA256())
            return orjson.loads(from_base64url(head)), orjson.loads(from_base64url(body))
        except (ValueError, InvalidSignature) as error:
            raise grant_refused("invalid_grant", "invalid assertion") from error

    def _key(self) -> RSAPublicKey:
        pem = self.app.public_key
        if pem is None:
            raise grant_refused("invalid_app_access", "no certificate is registered")
        if b"CERTIFICATE" in pem:
            key: object = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
        if not isinstance(key, RSAPublicKey):
            raise grant_refused("invalid_grant", "invalid assertion")
        return key

    def _token(self, url: str) -> dict[str, str]:
        self.granted += 1
        now = self.org.clock.now()
        token = f"{self.org.id[:15]}!SANDBOX.{self.granted}.{int(now.timestamp())}"
        self._used[token] = now
        return {
            "access_token": token,
            "instance_url": self.host or url,
            "id": f"{url}/id/{self.org.id}/{INTEGRATION_USER}",
            "token_type": "Bearer",
            "issued_at": str(int(now.timestamp() * 1000)),
            "signature": "c2FuZGJveA==",
            "scope": "api",
        }
