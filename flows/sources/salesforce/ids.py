"""Salesforce's ids: 15 characters in which case counts, or 18 that are safe without it."""

SHORT, PART = 15, 5
CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def whole_id(key: str) -> str:
    """Return the id of 18 characters; three of them say which of the others are capitals."""
    if len(key) != SHORT:
        return key
    parts = (key[start : start + PART] for start in range(0, SHORT, PART))
    return key + "".join(
        CHECKS[sum(letter.isupper() << place for place, letter in enumerate(part))]
        for part in parts
    )
