"""Dates, times and numbers as the REST API writes them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any


def moment_text(moment: datetime) -> str:
    """Return a datetime as records hold it: UTC, milliseconds, an offset without a colon."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}+0000"


def moment_of(text: str) -> datetime:
    """Read a datetime in any of the spellings that the API takes."""
    return datetime.fromisoformat(text).astimezone(UTC)


def number(value: object) -> float | None:
    """Return an amount as a JSON number, nothing as nothing."""
    return None if value in (None, "") else float(Decimal(str(value)))


def flag(value: object) -> bool:
    """Return a boolean that may have been written as text."""
    return value is True or str(value).lower() == "true"


def day_range(name: str, today: date) -> tuple[date, date] | None:
    """Return the days that a named date stands for: the first, and the first after."""
    word, _, count = name.partition(":")
    if count:
        return _counted(word, int(count), today)
    month = today.replace(day=1)
    year = month.replace(month=1)
    ranges = {
        "TODAY": (today, today + timedelta(days=1)),
        "YESTERDAY": (today - timedelta(days=1), today),
        "TOMORROW": (today + timedelta(days=1), today + timedelta(days=2)),
        "THIS_MONTH": (month, _next_month(month)),
        "LAST_MONTH": ((month - timedelta(days=1)).replace(day=1), month),
        "THIS_YEAR": (year, year.replace(year=year.year + 1)),
        "LAST_YEAR": (year.replace(year=year.year - 1), year),
        "LAST_90_DAYS": (today - timedelta(days=90), today + timedelta(days=1)),
    }
    return ranges.get(word)


def _counted(word: str, count: int, today: date) -> tuple[date, date] | None:
    if word == "LAST_N_DAYS":
        return today - timedelta(days=count), today + timedelta(days=1)
    if word == "NEXT_N_DAYS":
        return today + timedelta(days=1), today + timedelta(days=count + 1)
    return None


def _next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def compound(values: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return the address that an address field shows, put together from its parts."""
    prefix = name.removesuffix("Address")
    parts = ("city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state",
             "street")  # fmt: skip
    address = {part: values.get(prefix + part[0].upper() + part[1:]) for part in parts}
    return address if any(value is not None for value in address.values()) else None
