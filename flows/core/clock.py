"""The one place that knows what time it is, so that a run can be pinned to a moment."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(tz=UTC)
