"""How many calls a day, or in a few minutes, a server allows."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Quota:
    """A number of calls within a time that moves on with the clock."""

    most: int = 100_000
    within: timedelta = timedelta(hours=24)
    calls: deque[datetime] = field(default_factory=deque)

    def used(self, now: datetime) -> int:
        """Return how many calls count at this moment."""
        while self.calls and now - self.calls[0] >= self.within:
            self.calls.popleft()
        return len(self.calls)

    def take(self, now: datetime) -> bool:
        """Count a call, or say that there is none left."""
        if self.used(now) >= self.most:
            return False
        self.calls.append(now)
        return True
