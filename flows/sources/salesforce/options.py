"""What a Salesforce connection may say in connections.yaml, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.core.errors import ConnectionsError
from flows.sources.connections import ConnectionConfig
from flows.sources.salesforce.login import Credentials

API_VERSION = "68.0"
BULK_FROM = 50_000


@dataclass(frozen=True)
class Options:
    """How one organisation is read."""

    login_url: str
    credentials: Credentials = field(repr=False)
    api_version: str = API_VERSION
    extra_objects: tuple[str, ...] = ()
    without_objects: frozenset[str] = frozenset()
    without_fields: frozenset[str] = frozenset()  # "Account.Phone"
    bulk_from: int = BULK_FROM
    overlap_minutes: int = 10
    quota_reserve: float = 0.2
    daily_calls: int | None = None
    poll_seconds: float = 0.5

    @property
    def root(self) -> str:
        """The path below which the data lies."""
        return f"/services/data/v{self.api_version}"


def read_options(config: ConnectionConfig) -> Options:
    """Read a connection's options; raises ConnectionsError naming what is missing or wrong."""
    given = dict(config.options)
    credentials = _credentials(config.name, given)
    return Options(
        login_url=given.get("instance_url") or credentials.audience,
        credentials=credentials,
        api_version=given.get("api_version", API_VERSION).removeprefix("v"),
        extra_objects=tuple(_names(given.get("objects", ""))),
        without_objects=frozenset(_names(given.get("without_objects", ""))),
        without_fields=frozenset(_names(given.get("without_fields", ""))),
        bulk_from=_number(config.name, given, "bulk_from", BULK_FROM),
        overlap_minutes=_number(config.name, given, "overlap_minutes", 10),
        quota_reserve=_number(config.name, given, "quota_reserve", 20) / 100,
        daily_calls=_number(config.name, given, "daily_calls", 0) or None,
        poll_seconds=_number(config.name, given, "poll_milliseconds", 500) / 1000,
    )


def _credentials(name: str, given: Mapping[str, str]) -> Credentials:
    key = given.get("private_key") or _key_of(name, given)
    if not given.get("client_id"):
        raise ConnectionsError(f"Connection {name} has no 'client_id', nor a 'block' with one.")
    if key and not given.get("username"):
        raise ConnectionsError(f"Connection {name} has a private key, but no 'username' for it.")
    if not key and not given.get("client_secret"):
        raise ConnectionsError(
            f"Connection {name} has neither 'client_secret' nor 'private_key'; give one of them."
        )
    if not key and not given.get("instance_url"):
        raise ConnectionsError(
            f"Connection {name} has no 'instance_url'; give the organisation's My Domain, such as "
            "https://example.my.salesforce.com (others refuse client credentials)."
        )
    return Credentials(
        client_id=given["client_id"],
        client_secret=given.get("client_secret"),
        username=given.get("username"),
        private_key=key,
        audience=given.get("audience", "https://login.salesforce.com"),
    )


def _key_of(name: str, given: Mapping[str, str]) -> str | None:
    if "private_key_file" not in given:
        return None
    try:
        return Path(given["private_key_file"]).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectionsError(
            f"The 'private_key_file' of connection {name} cannot be read ({type(error).__name__})."
        ) from error


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _number(name: str, given: Mapping[str, str], key: str, default: int) -> int:
    text = given.get(key, str(default))
    if not text.isdigit():
        raise ConnectionsError(f"{key!r} of connection {name} must be a number, not {text!r}.")
    return int(text)
