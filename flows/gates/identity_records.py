"""What the identity gate judges: the records that stand out, gathered in one pass per domain."""

from psycopg import Connection, sql

from flows.core.warehouse import exists

DOMAINS = {"customers": "customer", "contacts": "contact", "products": "product"}
LARGE_CLUSTERS = """
    with clusters as (
        select {id} as id, count(*) as cluster_records from {crosswalk} where is_current
        group by {id} having count(*) > 5
    )
    insert into identity.judged_records (
        domain, finding, source_system, entity, source_key, id, cluster_records
    )
    select {domain}, 'cluster', source_system, entity, source_key, id, cluster_records
    from {crosswalk} as held inner join clusters on held.{id} = clusters.id
    where held.is_current
"""
# Where records went that had one id when what is live was built. An id whose records all went to
# one other id was merged; one whose records are now in several places was split.
MOVED = """
    with moved as (
        select distinct held.{id} as published_id
        from {crosswalk} as held, identity.published_at as published
        where held.valid_from <= published.at and held.valid_to > published.at
    ),
    earlier as (
        select held.source_system, held.entity, held.source_key, held.{id} as published_id
        from {crosswalk} as held
        inner join moved on held.{id} = moved.published_id, identity.published_at as published
        where held.valid_from <= published.at
            and coalesce(held.valid_to, 'infinity') > published.at
    ),
    compared as (
        select
            earlier.*,
            now.{id} as id,
            min(now.{id}) over whole <> max(now.{id}) over whole as is_split
        from earlier
        inner join {crosswalk} as now using (source_system, entity, source_key)
        where now.is_current
        window whole as (partition by earlier.published_id)
    )
    insert into identity.judged_records (
        domain, finding, source_system, entity, source_key, id, published_id
    )
    select
        {domain}, case when is_split then 'split' else 'merged' end,
        source_system, entity, source_key, id, published_id
    from compared
    where id <> published_id
"""
CLASHES = """
    insert into identity.judged_records (
        domain, finding, source_system, entity, source_key, detail
    )
    select
        {domain}, 'clash', split_part(left_record, '|', 1), split_part(left_record, '|', 2),
        regexp_replace(left_record, '^[^|]*[|][^|]*[|]', ''),
        right_record || ': same ' || rule || ', but ' || reason
    from {clashes} as clash
    where not exists (
        select from ops.decisions as decision
        where decision.domain = {domain}
            and decision.left_record = least(clash.left_record, clash.right_record)
            and decision.right_record = greatest(clash.left_record, clash.right_record)
            and decision.status in ('active', 'reopened')
    )
"""
WITHOUT_ID = """
    insert into identity.judged_records (domain, finding, source_system, entity, source_key)
    select {domain}, 'no_id', record.source_system, record.entity, record.source_key
    from {records} as record
    left join {crosswalk} as held
        on held.source_system = record.source_system
        and held.entity = record.entity
        and held.source_key = record.source_key
        and held.is_current
    where held.crosswalk_id is null
"""


def gather(connection: Connection) -> dict[str, int]:
    """Put down what stands out in each domain; return how many records have an id there."""
    connection.execute("truncate identity.judged_records")
    counts = {domain: _gather(connection, domain) for domain in DOMAINS}
    connection.execute("analyze identity.judged_records")
    return counts


def refused_blocks(connection: Connection) -> int:
    """Return how many blocks were too large to make pairs from."""
    return _count(connection, sql.SQL("select count(*) from identity.refused_blocks"))


def _gather(connection: Connection, domain: str) -> int:
    names = _names(domain)
    statements = [LARGE_CLUSTERS, MOVED]
    if exists(connection, names["clashes"]):
        statements.append(CLASHES)
    if exists(connection, names["records"]):
        statements.append(WITHOUT_ID)
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names))
    current = sql.SQL("select count(*) from {crosswalk} where is_current").format(**names)
    return _count(connection, current)


def _names(domain: str) -> dict[str, sql.Composable]:
    singular = DOMAINS[domain]
    return {
        "domain": sql.Literal(domain),
        "id": sql.Identifier(f"{singular}_id"),
        "crosswalk": sql.Identifier("identity", f"{singular}_crosswalk"),
        "records": sql.Identifier("identity", f"{singular}_records"),
        "clashes": sql.Identifier("identity", f"{singular}_key_clashes"),
    }


def _count(connection: Connection, query: sql.SQL | sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
