-- Every block that a change touched, or that an affected record is in, with all of its members.
drop table if exists watched_blocks, block_members;

create temporary table watched_blocks on commit drop as
select unnest(blocks) as block from changed_records where not {is_full}
union
select unnest(former_blocks) from changed_records where not {is_full}
union
select unnest(stored.blocks)
from identity.scored_records as stored
where
    stored.domain = {domain}
    and not {is_full}
    and stored.features in (select affected.features from affected_features as affected);
analyze watched_blocks;

create temporary table block_members on commit drop as
select distinct
    member.block,
    member.features
from (
    select
        stored.features,
        unnest(stored.blocks) as block
    from identity.scored_records as stored
    where stored.domain = {domain} and not {is_full}
) as member
where member.block in (select watched.block from watched_blocks as watched);
analyze block_members;
