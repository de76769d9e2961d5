"""Salesforce's timestamps: one spelling for all of them, so that they compare as texts."""

from datetime import UTC, datetime


def stamp(text: str) -> str:
    """Return a timestamp, however an interface spells it, as `2026-11-23T10:00:00.000Z`."""
    if text.endswith("Z") and len(text) == len("2026-11-23T10:00:00.000Z"):
        return text
    if text.endswith("+0000"):
        return f"{text[:-5]}Z"
    return stamp_of(moment(text))


def stamp_of(at: datetime) -> str:
    """Return a moment in that spelling."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """Read a timestamp; one without an offset is UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def literal(at: datetime) -> str:
    """Return a moment as it is written in queries and parameters."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def whole_minute(at: datetime) -> datetime:
    """Return the minute that a moment lies in."""
    return at.replace(second=0, microsecond=0)
