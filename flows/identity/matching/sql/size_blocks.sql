-- Blocks that a change touched, and which of them hold too many different records.
create temporary table touched_blocks on commit drop as
select unnest(blocks) as block from changed_records where not {is_full}
union
select unnest(former_blocks) from changed_records where not {is_full};
analyze touched_blocks;

create temporary table crowded_blocks on commit drop as
select every.block
from (
    select unnest(stored.blocks) as block
    from identity.scored_records as stored
    where stored.domain = {domain} and {is_full}
) as every
group by every.block
having count(*) > {largest_block};
analyze crowded_blocks;

create temporary table too_large_blocks on commit drop as
select
    member.block,
    count(*) as records
from (
    select
        block,
        features
    from block_members
    where block in (select touched.block from touched_blocks as touched)
    union all
    -- Of all blocks, only those of many records can hold many different ones.
    select distinct
        every.block,
        every.features
    from (
        select
            stored.features,
            unnest(stored.blocks) as block
        from identity.scored_records as stored
        where stored.domain = {domain} and {is_full}
    ) as every
    where every.block in (select crowded.block from crowded_blocks as crowded)
) as member
group by member.block
having count(*) > {largest_block};

-- A block that is refused from now on, or no longer, changes what its members are compared with.
create temporary table turned_blocks on commit drop as
select block
from too_large_blocks
where
    not exists (
        select from identity.refused_blocks as refused
        where refused.domain = {domain} and refused.block = too_large_blocks.block
    )
union all
select refused.block
from identity.refused_blocks as refused
where
    refused.domain = {domain}
    and ({is_full} or refused.block in (select touched.block from touched_blocks as touched))
    and not exists (
        select from too_large_blocks as large
        where large.block = refused.block
    );

delete from identity.refused_blocks as refused
where
    refused.domain = {domain}
    and ({is_full} or refused.block in (select touched.block from touched_blocks as touched));
