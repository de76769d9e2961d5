"""Business Central's timestamps: one spelling for all of them, so that they compare as texts."""

from datetime import UTC, datetime

_DIGITS = 7


def stamp(text: str) -> str:
    """Return a timestamp, which comes without the zeros at its end, with all its digits."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or not (fraction.isdigit() or not fraction):
        return stamp_of(moment(text))
    return f"{whole}.{fraction[:_DIGITS]:0<{_DIGITS}}Z"


def stamp_of(at: datetime) -> str:
    """Return a moment in that spelling."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def moment(text: str) -> datetime:
    """Read a timestamp; one without an offset is UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def literal(text: str) -> str:
    """Return a timestamp as filters take it: to the millisecond, never later than it is."""
    return f"{stamp(text)[:-5]}Z"
