"""Whether what is about to be promoted has passed its gate."""

from psycopg import Connection

from flows.core.errors import GateRefusedError

OUTCOMES = """
select count(*), count(*) filter (where outcome = 'block')
from ops.verdicts where promotion = %s and run_id = %s
"""
LAST = """
select run_id, bool_or(outcome = 'block') from ops.verdicts
where promotion = %s group by run_id order by run_id desc limit 1
"""


def last_passed(connection: Connection, promotion: str) -> int:
    """Return the run that a gate let through last; 0 when none, or when it refused since."""
    row = connection.execute(LAST, (promotion,)).fetchone()
    return 0 if row is None or row[1] else int(row[0])


def require_passed(connection: Connection, promotion: str, run_id: int) -> None:
    """Raise GateRefusedError unless the gate judged this run's promotion and let it through."""
    row = connection.execute(OUTCOMES, (promotion, run_id)).fetchone()
    judged, blocked = row or (0, 0)
    if not judged:
        raise GateRefusedError(
            f"The {promotion} of run {run_id} were never judged. Run `concord run` first."
        )
    if blocked:
        raise GateRefusedError(
            f"The gate refused the {promotion} of run {run_id} ({blocked} rules block). "
            "See the artifact of that run; mend the source and run again."
        )
