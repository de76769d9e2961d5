"""Keys that follow from what they stand for, so that both servers know each other's."""

from uuid import NAMESPACE_URL, UUID, uuid5

COMPANY = uuid5(NAMESPACE_URL, "urn:concord:sandbox")


def guid(kind: str, key: object) -> str:
    """Return the GUID of what is known by a key: always the same."""
    return str(uuid5(COMPANY, f"{kind}/{key}"))


def is_guid(text: str) -> bool:
    """Say whether this is a GUID as it is written in addresses."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
