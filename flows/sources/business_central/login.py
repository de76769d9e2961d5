"""Signing in to Microsoft Entra by `msal`, whose requests go out through our own client."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msal  # type: ignore[import-untyped]

from flows.core.errors import NotPermittedError, SourceUnavailableError
from flows.sources.http import Action, Answer, CommonDialect, HttpClient, Judgement, Request, Token
from flows.sources.http.answers import SERVER_ERRORS, TOO_MANY

PUBLIC_LOGIN = "https://login.microsoftonline.com"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Credentials:
    """The app registration that signs in; another `login_url` serves a national cloud."""

    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    login_url: str = PUBLIC_LOGIN

    @property
    def is_on_loopback(self) -> bool:
        """Whether the identity platform is one without https, such as a rehearsal's."""
        return self.login_url.startswith("http://")

    @property
    def authority(self) -> str:
        """The address by which msal knows the tenant; it knows none without https."""
        return f"{PUBLIC_LOGIN if self.is_on_loopback else self.login_url}/{self.tenant}"


class EntraDialect(CommonDialect):
    """Leaves refusals to msal, which reads them, and waits for what will pass."""

    def judge(self, answer: Answer) -> Judgement:
        """Judge by status."""
        is_refusal = answer.status < SERVER_ERRORS and answer.status != TOO_MANY
        return Judgement(Action.USE) if is_refusal else super().judge(answer)


@dataclass(frozen=True)
class _Response:
    """An answer in the form that msal reads."""

    status_code: int
    text: str
    headers: dict[str, str]

    def raise_for_status(self) -> None:
        """Raise for what is no success, which msal expects to be possible."""
        if self.status_code >= SERVER_ERRORS:
            raise SourceUnavailableError(f"Signing in: HTTP {self.status_code}.")


class _Transport:
    """The HTTP client that msal is given."""

    def __init__(self, client: HttpClient, credentials: Credentials) -> None:
        self._client = client
        self._login_url = credentials.login_url
        self._is_redirected = credentials.is_on_loopback

    def get(self, url: str, headers: Any = None, **_: Any) -> _Response:  # noqa: ANN401 - msal's
        return self._asked(Request(self._there(url), "sign in", headers=headers or {}))

    def post(self, url: str, data: Any = None, headers: Any = None, **_: Any) -> _Response:  # noqa: ANN401
        body = urlencode(data or {}).encode()
        sent = {"Content-Type": FORM, **(headers or {})}
        return self._asked(Request(self._there(url), "sign in", "POST", headers=sent, body=body))

    def close(self) -> None:
        """Leave the client open; who made it closes it."""

    def _there(self, url: str) -> str:
        return url.replace(PUBLIC_LOGIN, self._login_url) if self._is_redirected else url

    def _asked(self, request: Request) -> _Response:
        return self._client.read(request, self._response)

    def _response(self, answer: Answer) -> _Response:
        text = answer.content.decode("utf-8", "replace")
        if self._is_redirected:
            text = text.replace(self._login_url, PUBLIC_LOGIN)
        return _Response(answer.status, text, dict(answer.headers))


def sign_in(client: HttpClient, credentials: Credentials) -> Token:
    """Fetch a new token; it is kept out of all texts from then on.

    Raises NotPermittedError with what the identity platform says about the credentials.
    """
    try:
        app = msal.ConfidentialClientApplication(
            credentials.client_id,
            client_credential=credentials.client_secret,
            authority=credentials.authority,
            instance_discovery=False,
            http_client=_Transport(client, credentials),
        )
        granted = app.acquire_token_for_client(scopes=[SCOPE])
    except ValueError as error:
        said = client.secrets.hide(str(error).partition("Authority would")[0])
        raise NotPermittedError(
            f"Signing in to tenant {credentials.tenant} does not work: {said.strip()} Correct "
            "'tenant' of the connection."
        ) from error
    if "access_token" not in granted:
        said = f"{granted.get('error')}: {granted.get('error_description', 'no reason given')}"
        raise NotPermittedError(
            f"{client.meter.connection}, sign in: {client.secrets.hide(said)} Correct 'client_id' "
            "and 'client_secret' of the connection, or the app registration."
        )
    client.secrets.add(str(granted["access_token"]))
    ends = time.monotonic() + float(granted.get("expires_in", 3599))
    return Token(str(granted["access_token"]), expires_at=ends)
