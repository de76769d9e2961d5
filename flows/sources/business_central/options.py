"""What a Business Central connection may say in connections.yaml, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from flows.core.errors import ConnectionsError
from flows.sources.business_central.login import Credentials
from flows.sources.connections import ConnectionConfig

HOST = "https://api.businesscentral.dynamics.com"
LARGEST_PAGE = 20_000  # the server refuses more
LINES_A_HEADER = 10


@dataclass(frozen=True)
class Options:
    """How one environment is read."""

    api_url: str
    credentials: Credentials = field(repr=False)
    companies: frozenset[str] = frozenset()  # by name or id; all where nothing is said
    extra_objects: tuple[str, ...] = ()
    without_objects: frozenset[str] = frozenset()
    without_fields: frozenset[str] = frozenset()  # "customers.phoneNumber"
    page_size: int = 5000
    overlap_minutes: int = 15
    quota_reserve: float = 0.2
    daily_calls: int | None = None
    reads_replica: bool = True

    def rows_a_page(self, *, with_lines: bool) -> int:
        """Return how many rows are asked for at once."""
        return max(self.page_size // LINES_A_HEADER, 1) if with_lines else self.page_size


def read_options(config: ConnectionConfig) -> Options:
    """Read a connection's options; raises ConnectionsError naming what is missing or wrong."""
    given = dict(config.options)
    name = config.name
    page_size = _number(name, given, "page_size", 5000)
    if not 1 <= page_size <= LARGEST_PAGE:
        raise ConnectionsError(
            f"'page_size' of connection {name} must be between 1 and {LARGEST_PAGE}; Business "
            "Central refuses larger pages."
        )
    return Options(
        api_url=given.get("api_url") or _api_url(name, given),
        credentials=_credentials(name, given),
        companies=frozenset(_names(given.get("companies", ""))),
        extra_objects=tuple(_names(given.get("objects", ""))),
        without_objects=frozenset(_names(given.get("without_objects", ""))),
        without_fields=frozenset(_names(given.get("without_fields", ""))),
        page_size=page_size,
        overlap_minutes=_number(name, given, "overlap_minutes", 15),
        quota_reserve=_number(name, given, "quota_reserve", 20) / 100,
        daily_calls=_number(name, given, "daily_calls", 0) or None,
        reads_replica=given.get("read_replica", "true").lower() == "true",
    )


def _api_url(name: str, given: Mapping[str, str]) -> str:
    if not given.get("tenant"):
        raise ConnectionsError(
            f"Connection {name} has no 'tenant'; give the id or the domain of the Entra tenant."
        )
    environment = given.get("environment", "production")
    return f"{HOST}/v2.0/{quote(given['tenant'])}/{quote(environment)}/api/v2.0"


def _credentials(name: str, given: Mapping[str, str]) -> Credentials:
    for key in ("tenant", "client_id", "client_secret"):
        if not given.get(key):
            raise ConnectionsError(f"Connection {name} has no {key!r}, nor a 'block' with one.")
    return Credentials(
        tenant=given["tenant"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        **({"login_url": given["login_url"].rstrip("/")} if given.get("login_url") else {}),
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _number(name: str, given: Mapping[str, str], key: str, default: int) -> int:
    text = given.get(key, str(default))
    if not text.isdigit():
        raise ConnectionsError(f"{key!r} of connection {name} must be a number, not {text!r}.")
    return int(text)
