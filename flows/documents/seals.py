"""Sealing what is complete and fully invoiced, and noticing when it changes afterwards."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql
from psycopg.rows import class_row

from flows.core.errors import SealError

LOCK = "select pg_advisory_xact_lock(hashtext('concord.seals'))"
SEAL = """
insert into ops.seals (
    source_system, document_type, document_id, document_number, order_id, content, addresses,
    content_hash, run_id
)
select
    found.source_system, found.document_type, found.document_id, found.document_number,
    found.order_id, found.content, found.addresses, found.content_hash, {run_id}
from {contents} as found
where
    found.is_complete
    and not exists (
        select from ops.seals as seal
        where
            seal.source_system = found.source_system
            and seal.document_type = found.document_type
            and seal.document_id = found.document_id
            and seal.superseded_at is null
    )
"""
# A seal whose document vanished, once that was accepted, holds for nothing any more.
BROKEN = """
create temporary table broken_seals on commit drop as
select seal.seal_id, found.content, found.content_hash
from ops.seals as seal
left join {contents} as found
    on
        found.source_system = seal.source_system
        and found.document_key = seal.document_type || '|' || seal.document_id
where seal.superseded_at is null and found.content_hash is distinct from seal.content_hash
"""
UNDO = """
update ops.seal_breaches as breach set status = 'undone', closed_at = clock_timestamp()
where
    breach.status = 'open'
    and not exists (select from broken_seals as broken where broken.seal_id = breach.seal_id)
"""
REPLACE = """
update ops.seal_breaches as breach set status = 'replaced', closed_at = clock_timestamp()
from broken_seals as broken
where
    breach.status = 'open'
    and breach.seal_id = broken.seal_id
    and breach.found_hash is distinct from broken.content_hash
"""
NOTE = """
insert into ops.seal_breaches (seal_id, found_content, found_hash, found_run_id)
select broken.seal_id, broken.content, broken.content_hash, {run_id}
from broken_seals as broken
where not exists (
    select from ops.seal_breaches as breach
    where breach.seal_id = broken.seal_id and breach.status = 'open'
)
"""
OPEN = """
select
    breach.breach_id, seal.source_system, seal.document_type, seal.document_id,
    seal.document_number, breach.found_at, breach.found_hash is null as has_vanished
from ops.seal_breaches as breach
inner join ops.seals as seal on seal.seal_id = breach.seal_id
where breach.status = 'open'
order by breach.breach_id
"""
ACCEPT = """
update ops.seal_breaches
set status = 'accepted', closed_at = clock_timestamp(), decided_by = %s, note = %s
where breach_id = %s and status = 'open'
returning seal_id
"""
SUPERSEDE = "update ops.seals set superseded_at = clock_timestamp() where seal_id = %s"
RESEAL = """
insert into ops.seals (
    source_system, document_type, document_id, document_number, order_id, content, addresses,
    content_hash, run_id
)
select
    seal.source_system, seal.document_type, seal.document_id, seal.document_number, seal.order_id,
    breach.found_content, seal.addresses, breach.found_hash, breach.found_run_id
from ops.seal_breaches as breach
inner join ops.seals as seal on seal.seal_id = breach.seal_id
where breach.breach_id = %s and breach.found_hash is not null
"""


@dataclass(frozen=True)
class SealReport:
    """What one run sealed and found broken."""

    sealed: int
    new_breaches: int
    undone_breaches: int
    open_breaches: int

    @property
    def text(self) -> str:
        """What happened, in one line."""
        return (
            f"{self.sealed:,} documents sealed; {self.open_breaches:,} sealed documents differ "
            f"from what was sealed ({self.new_breaches:,} new, {self.undone_breaches:,} undone)."
        )


@dataclass(frozen=True)
class Breach:
    """A change of a sealed document that nobody has accepted yet."""

    breach_id: int
    source_system: str
    document_type: str
    document_id: str
    document_number: str | None
    found_at: datetime
    has_vanished: bool


def seal(connection: Connection, slot: str, run_id: int) -> SealReport:
    """Seal what became complete in a slot, and note every sealed document that is different now.

    Run again it does nothing more. A breach that the source took back is closed as undone.
    """
    contents = sql.Identifier(f"marts_{slot}", "document_contents")
    with connection.transaction():
        connection.execute(LOCK)
        connection.execute(sql.SQL(BROKEN).format(contents=contents))
        undone = connection.execute(UNDO).rowcount
        connection.execute(REPLACE)
        noted = connection.execute(sql.SQL(NOTE).format(run_id=sql.Literal(run_id))).rowcount
        statement = sql.SQL(SEAL).format(contents=contents, run_id=sql.Literal(run_id))
        sealed = connection.execute(statement).rowcount
        connection.execute("drop table broken_seals")
        return SealReport(sealed, noted, undone, len(open_breaches(connection)))


def open_breaches(connection: Connection) -> list[Breach]:
    """Return the breaches that wait for a steward, oldest first."""
    with connection.cursor(row_factory=class_row(Breach)) as cursor:
        return cursor.execute(OPEN).fetchall()


def accept_breach(connection: Connection, breach_id: int, *, decided_by: str, note: str) -> None:
    """Let a change of a sealed document pass: the old seal is kept, the new content is sealed.

    Raises SealError when no such breach is open, or nobody and no reason is named.
    """
    if not decided_by.strip() or not note.strip():
        raise SealError("Accepting a change of a sealed document takes a name and a reason.")
    with connection.transaction():
        connection.execute(LOCK)
        accepted = connection.execute(ACCEPT, (decided_by, note, breach_id)).fetchone()
        if accepted is None:
            raise SealError(f"No breach {breach_id} is open; sealed_document_breaches lists them.")
        connection.execute(SUPERSEDE, accepted)
        connection.execute(RESEAL, (breach_id,))
