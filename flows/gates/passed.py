"""Whether what is about to be promoted has passed its gate."""

from psycopg import Connection

from flows.core.errors import GateRefusedError

OUTCOMES = """
select count(*), count(*) filter (where outcome = 'block')
from ops.verdicts where promotion = %s and run_id = %s
"""


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
