"""Small encodings."""

import base64
import binascii


def from_base64url(text: str) -> bytes:
    """Read the base64 of tokens, which leaves its padding out."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def client_of(authorization: str) -> dict[str, str]:
    """Return the client that names itself in a Basic header instead of in the form."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return {}
    try:
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": client, "client_secret": secret}
