"""Signing in: client credentials, or a signed statement of who we are (JWT bearer)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from flows.core import clock
from flows.core.errors import ConnectionsError, SourceRefusedError
from flows.sources.http import Answer, HttpClient, Request, Token

PATH = "/services/oauth2/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_SECONDS = 170  # at most three minutes are taken
WRONG_CLOCK = timedelta(minutes=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Credentials:
    """What signs in; either a client secret, or a user name with a private key."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    private_key: str | None = field(default=None, repr=False)
    audience: str = "https://login.salesforce.com"

    def form(self, now: datetime) -> Mapping[str, str]:
        """Return what is posted to get a token."""
        if self.private_key:
            return {"grant_type": JWT_GRANT, "assertion": self._assertion(now)}
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret or "",
        }

    def _assertion(self, now: datetime) -> str:
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(now.timestamp()) + JWT_SECONDS,
        }
        signed = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        signature = self._key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"

    def _key(self) -> rsa.RSAPrivateKey:
        try:
            key = serialization.load_pem_private_key((self.private_key or "").encode(), None)
        except (ValueError, TypeError) as error:
            raise ConnectionsError(
                "The private key for Salesforce is no unencrypted PEM key. Give the key that "
                "belongs to the certificate of the External Client App."
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ConnectionsError("The private key for Salesforce is no RSA key. Give one.")
        return key


def sign_in(client: HttpClient, credentials: Credentials, url: str) -> Token:
    """Fetch a token; it is kept out of all texts from then on.

    Raises SourceRefusedError with what Salesforce says about the credentials.
    """
    try:
        return _granted(client, credentials, url)
    except SourceRefusedError:
        # A statement that is signed by a clock that is wrong counts as out of date.
        if abs(client.now() - clock.now()) < WRONG_CLOCK:
            raise
        return _granted(client, credentials, url)


def _granted(client: HttpClient, credentials: Credentials, url: str) -> Token:
    body = urlencode(credentials.form(client.now())).encode()
    request = Request(url.rstrip("/") + PATH, "sign in", "POST", headers=FORM, body=body)
    return client.read(request, lambda answer: _token(client, answer))


def _token(client: HttpClient, answer: Answer) -> Token:
    body = answer.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    instance = body.get("instance_url") if isinstance(body, dict) else None
    if not token or not instance:
        raise SourceRefusedError("Salesforce's answer to signing in holds no token.")
    client.secrets.add(str(token))
    return Token(str(token), base_url=str(instance))


def _encoded(part: Mapping[str, object]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
