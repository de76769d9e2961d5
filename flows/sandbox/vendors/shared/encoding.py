"""Small encodings."""

import base64


def from_base64url(text: str) -> bytes:
    """Read the base64 of tokens, which leaves its padding out."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
