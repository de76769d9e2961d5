"""The time a server believes it is."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Ticks with the machine until it is told what time it is; then it stands still."""

    def __init__(self, not_before: datetime | None = None) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None
        if not_before and not_before > datetime.now(UTC):
            self._offset = not_before - datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time here, in UTC."""
        return self._frozen or datetime.now(UTC) + self._offset

    def stamp(self) -> datetime:
        """Return the time to the second, as most systems stamp their rows."""
        return self.now().replace(microsecond=0)

    def set(self, moment: datetime) -> None:
        """Let it be this time until further notice."""
        self._frozen = moment.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self._frozen:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)
