"""Links of a server: where they lead, and whether that is still the same server."""

from urllib.parse import urljoin, urlsplit

PORTS = {"http": 80, "https": 443}


def next_url(current: str, link: str) -> str:
    """Return where a link leads, to the letter; a relative one begins where its page lies."""
    return link if "://" in link or link.startswith("/") else urljoin(current, link)


def is_same_server(url: str, base: str) -> bool:
    """Say whether an address is of the same server, reached in the same way."""
    return _server(url) == _server(base)


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
