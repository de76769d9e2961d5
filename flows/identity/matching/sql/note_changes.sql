-- Records whose features, values or blocks are not what they were when they were last scored.
-- That few are new is not known to the planner yet: it would look through all for each of them.
set local enable_nestloop = off;
create temporary table seen_records on commit drop as
select
    records.record,
    md5(concat_ws('|', {features}, block_sets.signature, block_sets.records))::uuid as features,
    {terms} as terms,
    coalesce(block_sets.blocks, '{{}}') as blocks
from {records} as records
left join (
    select
        hashed.record,
        array_agg(hashed.block) as blocks,
        -- In any order the same.
        bit_xor(hashed.block) as signature,
        count(*) as records
    from (
        select
            blocks.record,
            hashtextextended(blocks.rule || ':' || blocks.block_key, 0) as block
        from {blocks} as blocks
        where
            {is_full}
            -- As an array, for the index to find them.
            or blocks.record = any(
                array(select recent.record from {records} as recent where recent.version > {since})
            )
        offset '0'
    ) as hashed
    group by hashed.record
) as block_sets on records.record = block_sets.record
where not records.is_deleted and ({is_full} or records.version > {since});

set local enable_nestloop = on;
analyze seen_records;

create temporary table lost_records on commit drop as
select gone.record
from identity.gone_records as gone
where
    gone.domain = {domain}
    and gone.version > {since}
    and not exists (
        select from {records} as records
        where records.record = gone.record and not records.is_deleted
    )
union
select records.record
from {records} as records
where records.version > {since} and records.is_deleted;
analyze lost_records;

create temporary table changed_records on commit drop as
select
    coalesce(seen.record, stored.record) as record,
    seen.features,
    stored.features as former_features,
    seen.terms,
    stored.terms as former_terms,
    seen.blocks,
    stored.blocks as former_blocks
from seen_records as seen
left join identity.scored_records as stored
    on stored.domain = {domain} and seen.record = stored.record
where seen.features is distinct from stored.features
union all
select
    stored.record,
    null,
    stored.features,
    null,
    stored.terms,
    null,
    stored.blocks
from identity.scored_records as stored
where
    stored.domain = {domain}
    and (
        stored.record in (select lost.record from lost_records as lost)
        or exists (
            select from identity.gone_records as gone
            where gone.domain = {domain} and gone.record = '*' and gone.version > {since}
        )
        and not exists (
            select from {records} as records
            where records.record = stored.record and not records.is_deleted
        )
    );

create temporary table affected_features on commit drop as
select features from changed_records where features is not null
union
select former_features from changed_records where former_features is not null;

delete from identity.scored_records as stored
using changed_records as changed
where stored.domain = {domain} and stored.record = changed.record;

insert into identity.scored_records (domain, record, features, terms, blocks)
select
    {domain},
    record,
    features,
    terms,
    blocks
from changed_records
where features is not null;
