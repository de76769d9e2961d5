"""Moments as HTTP headers write them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_moment(text: str) -> datetime | None:
    """Return the moment in a header, or nothing when there is none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
