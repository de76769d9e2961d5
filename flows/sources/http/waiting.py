"""How long to wait before asking again: what the server says, within bounds, else ever longer."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Patience:
    """How often and how long a client waits."""

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 120.0
    longest_time: float = 900.0  # for one request, all its attempts together

    def before(self, attempt: int, asked: float | None) -> float:
        """Return the seconds to wait before attempt number `attempt` (the first one is 1).

        A wait that the server asks for is kept, within the bounds; on top of either comes some
        chance, so that many clients do not come back at the same moment.
        """
        doubled = self.first_wait * 2.0 ** min(attempt - 2, 16)
        if asked is None:
            return float(min(doubled, self.longest_wait)) * random.uniform(0.5, 1.0)  # noqa: S311
        return float(min(max(asked, 0.0), self.longest_wait)) + random.uniform(0, 0.1)  # noqa: S311


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read Retry-After: seconds or a date; None where it says nothing that makes sense."""
    if value is None or not (text := value.strip()):
        return None
    try:
        return max(float(text), 0.0) if text.lower() not in ("nan", "inf", "infinity") else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - (now or datetime.now(tz=UTC))).total_seconds(), 0.0)
