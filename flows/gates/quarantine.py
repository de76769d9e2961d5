"""What a passing gate does: hold failing documents whole, let repaired ones go, accept batches."""

from collections.abc import Iterable

from psycopg import Connection, sql

from flows.core.warehouse import exists
from flows.gates.failing import DOCUMENTS, INCOMING
from flows.gates.verdict import Held

RETRIES = """
    drop table if exists pg_temp.gate_retries;
    create temp table gate_retries (
        entity text, source_system text, source_key text, batch_id bigint, raw_id bigint,
        is_newest boolean, modified_at timestamptz
    ) on commit drop
"""
RETRIED_ROWS = """
    insert into gate_retries
    select {entity}, source_system, source_key, batch_id, raw_id, is_newest, modified_at
    from {incoming} where is_retry
"""
# A retry that staging has overtaken decides nothing any more, so it is closed before the rest.
OVERTAKEN = """
    update quarantine.rows as held
    set status = 'superseded', closed_run_id = %(run_id)s, closed_at = clock_timestamp()
    from gate_retries as retried
    inner join {staging} as staged
        on staged.source_system = retried.source_system and staged.source_key = retried.source_key
    where retried.entity = %(entity)s
        and (coalesce(staged.modified_at, '-infinity'), staged.batch_id, staged.raw_id)
        > (coalesce(retried.modified_at, '-infinity'), retried.batch_id, retried.raw_id)
        and held.entity = %(entity)s and held.status = 'open'
        and held.source_system = retried.source_system
        and held.batch_id = retried.batch_id and held.raw_id = retried.raw_id
"""
FAILING_DOCUMENTS = """
    drop table if exists pg_temp.gate_documents;
    create temp table gate_documents on commit drop as
    select distinct source_system, document_type, document_key
    from gate_failing as failing
    inner join gate_critical using (entity, rule)
    where failing.is_newest and failing.document_key is not null
        and not exists (
            select from quarantine.rows as closed
            where closed.entity = failing.entity
                and closed.source_system = failing.source_system
                and closed.batch_id = failing.batch_id and closed.raw_id = failing.raw_id
                and closed.status = 'superseded' and closed.closed_run_id = {run_id}
        );
    analyze gate_documents;
    drop table if exists pg_temp.gate_held;
    create temp table gate_held (
        entity text, source_system text, source_key text, document_type text, document_key text,
        batch_id bigint, raw_id bigint, is_retry boolean, rules text[]
    ) on commit drop
"""
HELD_ROWS = """
    insert into gate_held
    select
        {entity}, source_system, source_key, document_type, document_key, batch_id, raw_id,
        is_retry,
        array(
            select rule from gate_critical where entity = {entity} and rule = any(row.failed_rules)
        )
    from {incoming} as row
    where (source_system, document_type, document_key) in (
        select source_system, document_type, document_key from gate_documents
    )
    union all
    select
        {entity}, source_system, source_key, document_type, document_key, batch_id, raw_id,
        is_retry,
        array(
            select rule from gate_critical where entity = {entity} and rule = any(row.failed_rules)
        )
    from {incoming} as row
    where failed_rules is not null and document_key is null
        and failed_rules && array(select rule from gate_critical where entity = {entity})
"""
# The batches and row ids are constants: then the view of all sources reads no other rows, and
# looks each id up in a hash table instead of comparing it with every other.
COPIED = """
    insert into quarantine.rows (
        source_system, entity, source_key, document_type, document_key, batch_id, raw_id,
        payload, rules, run_id
    )
    select
        held.source_system, held.entity, held.source_key, held.document_type, held.document_key,
        held.batch_id, held.raw_id, received.payload, held.rules, %(run_id)s
    from {raw} as received
    inner join gate_held as held
        on held.source_system = received.source_system
        and held.batch_id = received.batch_id and held.raw_id = received.raw_id
    where received.batch_id = any({batches}::bigint[])
        and received.raw_id = any({rows}::bigint[])
        and held.entity = %(entity)s
        and not exists (
            select from quarantine.rows as closed
            where closed.entity = held.entity and closed.source_system = held.source_system
                and closed.batch_id = held.batch_id and closed.raw_id = held.raw_id
                and closed.status = 'superseded' and closed.closed_run_id = %(run_id)s
        )
    on conflict (entity, source_system, raw_id) where status = 'open'
    do update set rules = excluded.rules, document_key = excluded.document_key
"""
LET_GO = """
    update quarantine.rows as held
    set
        status = case when retried.is_newest then 'released' else 'superseded' end,
        closed_run_id = %(run_id)s,
        closed_at = clock_timestamp()
    from gate_retries as retried
    where held.entity = retried.entity and held.status = 'open'
        and held.source_system = retried.source_system
        and held.batch_id = retried.batch_id and held.raw_id = retried.raw_id
        and not exists (
            select from gate_held
            where gate_held.entity = held.entity and gate_held.source_system = held.source_system
                and gate_held.batch_id = held.batch_id and gate_held.raw_id = held.raw_id
        )
"""
ACCEPT = """
    with held as (
        select batch_id, count(distinct raw_id) as row_count
        from quarantine.rows where status = 'open' group by batch_id
    ),
    changed as (
        select distinct batch_id from quarantine.rows where closed_run_id = %(run_id)s
    )
    update ops.batches as batch
    set
        quarantined_count = coalesce(held.row_count, 0),
        accepted_count = batch.landed_count - coalesce(held.row_count, 0),
        status = case when batch.status = 'staged' then 'staged' else 'accepted' end,
        judged_at = case when batch.status = 'staged' then batch.judged_at
            else clock_timestamp() end
    from ops.batches as same
    left join held on held.batch_id = same.batch_id
    left join changed on changed.batch_id = same.batch_id
    where same.batch_id = batch.batch_id
        and (
            batch.status in ('landed', 'refused', 'accepted')
            or (
                batch.status = 'staged'
                and (
                    changed.batch_id is not null
                    or batch.quarantined_count is distinct from coalesce(held.row_count, 0)
                )
            )
        )
"""
REFUSE = """
    update ops.batches set status = 'refused', judged_at = clock_timestamp()
    where status in ('landed', 'refused', 'accepted')
"""
COUNTS = """
    select
        count(*) filter (where status = 'open' and run_id = %(run_id)s),
        count(distinct (source_system, document_type, coalesce(document_key, raw_id::text)))
            filter (where status = 'open' and run_id = %(run_id)s),
        count(*) filter (where status = 'released' and closed_run_id = %(run_id)s),
        count(*) filter (where status = 'superseded' and closed_run_id = %(run_id)s)
    from quarantine.rows
    where run_id = %(run_id)s or closed_run_id = %(run_id)s
"""


def refuse(connection: Connection) -> Held:
    """Leave every pending batch waiting, marked as refused; nothing else changes."""
    return Held(batches=connection.execute(REFUSE).rowcount)


def accept(connection: Connection, tables: Iterable[str], run_id: int) -> Held:
    """Hold failing documents, let repaired ones go and accept every pending batch, balanced."""
    entities = [table for table in tables if table != DOCUMENTS]
    _gather_retries(connection, entities)
    for entity in entities:
        _close_overtaken(connection, entity, run_id)
    connection.execute(sql.SQL(FAILING_DOCUMENTS).format(run_id=sql.Literal(run_id)))
    for entity in entities:
        _hold(connection, entity, run_id)
    connection.execute(LET_GO, {"run_id": run_id})
    batches = connection.execute(ACCEPT, {"run_id": run_id}).rowcount
    row = connection.execute(COUNTS, {"run_id": run_id}).fetchone()
    rows, documents, released, superseded = row or (0, 0, 0, 0)
    return Held(rows, documents, released, superseded, batches)


def _close_overtaken(connection: Connection, entity: str, run_id: int) -> None:
    if exists(connection, sql.Identifier("staging", entity)):
        connection.execute(
            sql.SQL(OVERTAKEN).format(staging=sql.Identifier("staging", entity)),
            {"run_id": run_id, "entity": entity},
        )


def _gather_retries(connection: Connection, entities: Iterable[str]) -> None:
    connection.execute(RETRIES)
    for entity in entities:
        connection.execute(
            sql.SQL(RETRIED_ROWS).format(
                entity=sql.Literal(entity), incoming=sql.Identifier(INCOMING, entity)
            )
        )
    connection.execute("analyze gate_retries")


def _hold(connection: Connection, entity: str, run_id: int) -> None:
    connection.execute(
        sql.SQL(HELD_ROWS).format(
            entity=sql.Literal(entity), incoming=sql.Identifier(INCOMING, entity)
        )
    )
    connection.execute("analyze gate_held")
    row = connection.execute(
        "select array_agg(distinct batch_id), array_agg(raw_id) from gate_held where entity = %s",
        (entity,),
    ).fetchone()
    if row and row[0]:
        connection.execute(
            sql.SQL(COPIED).format(
                raw=sql.Identifier("raw", entity), batches=_numbers(row[0]), rows=_numbers(row[1])
            ),
            {"run_id": run_id, "entity": entity},
        )


def _numbers(values: Iterable[int]) -> sql.Literal:
    return sql.Literal("{" + ",".join(map(str, values)) + "}")
