"""The two sets of mart tables: which may be built, and which may be published."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from flows.core.errors import PublicationRefusedError
from flows.core.warehouse import connect

LOCK = "select pg_advisory_xact_lock(hashtext('concord.publishing'))"


@dataclass(frozen=True)
class Slot:
    """Where one slot stands; while it is being built its tables match no version."""

    slot: str
    version: int
    model_hash: str | None
    built_at: datetime | None
    is_building: bool
    building_run_id: int | None


def candidate_slot(connection: Connection) -> str:
    """Return the slot that analysts do not read: a when nothing is published."""
    return "b" if live_slot(connection) == "a" else "a"


def live_slot(connection: Connection) -> str | None:
    """Return the slot that analysts read, None when nothing is published."""
    row = connection.execute("select slot from ops.publications where is_live").fetchone()
    return row[0] if row else None


def lock(connection: Connection) -> None:
    """Let one publication, rollback or start of a build decide at a time, until the commit."""
    connection.execute(LOCK)


def read(connection: Connection, slot: str) -> Slot:
    """Return where a slot stands; raises PublicationRefusedError when there is no such slot."""
    with connection.cursor(row_factory=class_row(Slot)) as cursor:
        cursor.execute(
            """
            select slot, version, model_hash, built_at, is_building, building_run_id
            from ops.slots where slot = %s
            """,
            (slot,),
        )
        found = cursor.fetchone()
    if found is None:
        raise PublicationRefusedError(f"There is no slot {slot!r}; the slots are a and b.")
    return found


def slot_version(connection: Connection, slot: str) -> int:
    """Return the run up to which the slot has caught up."""
    return read(connection, slot).version


def slot_models(connection: Connection, slot: str) -> str | None:
    """Return the signature of the models that built the slot."""
    return read(connection, slot).model_hash


def was_built_otherwise(connection: Connection, slot: str, model_hash: str) -> bool:
    """Say whether the slot was never built, or by other models than these."""
    state = read(connection, slot)
    return state.version == 0 or state.model_hash != model_hash


def begin_build(slot: str, run_id: int) -> None:
    """Mark a slot as changing, so that nothing publishes it half built.

    A build that was cut off is taken over. Raises PublicationRefusedError for the live slot.
    """
    with connect() as connection:
        lock(connection)
        read(connection, slot)
        if live_slot(connection) == slot:
            raise PublicationRefusedError(
                f"Slot {slot} is what analysts read; "
                f"build slot {candidate_slot(connection)} instead."
            )
        connection.execute(
            "update ops.slots set is_building = true, building_run_id = %s where slot = %s",
            (run_id, slot),
        )


def finish_build(slot: str, run_id: int, model_hash: str | None = None) -> None:
    """Record that a slot is complete up to this run.

    Raises PublicationRefusedError when the build is not this run's: the tables may be mixed.
    """
    with connect() as connection:
        done = connection.execute(
            """
            update ops.slots
            set
                version = %(run)s, model_hash = %(hash)s, built_at = clock_timestamp(),
                is_building = false, building_run_id = null
            where slot = %(slot)s and is_building and building_run_id = %(run)s
            """,
            {"run": run_id, "hash": model_hash, "slot": slot},
        ).rowcount
        if not done:
            raise PublicationRefusedError(_not_this_build(read(connection, slot), run_id))


def complete(connection: Connection, slot: str) -> Slot:
    """Return the slot when it is complete; raises PublicationRefusedError when it is not."""
    state = read(connection, slot)
    if state.is_building:
        raise PublicationRefusedError(
            f"Slot {slot} is being built by run {state.building_run_id}, or that build was cut "
            "off. Let it finish, or build again."
        )
    if state.version == 0:
        raise PublicationRefusedError(f"Slot {slot} was never built. Run `concord run` first.")
    return state


def _not_this_build(state: Slot, run_id: int) -> str:
    builder = f"run {state.building_run_id}" if state.is_building else "no run"
    return (
        f"Run {run_id} cannot finish slot {state.slot}: {builder} is building it. "
        "Another run took it over; build again."
    )
