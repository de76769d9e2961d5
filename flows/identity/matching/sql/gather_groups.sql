-- Identical records are one group; groups that share a usable block with an affected one are needed.
analyze affected_features;

create temporary table usable_blocks on commit drop as
select distinct member.block
from block_members as member
where
    -- When everything is scored there are none, and every block that is not refused is usable.
    member.features in (select affected.features from affected_features as affected)
    and not exists (
        select from identity.refused_blocks as refused
        where refused.domain = {domain} and refused.block = member.block
    );
analyze usable_blocks;

create temporary table needed_features on commit drop as
select features from affected_features
union
select member.features
from block_members as member
inner join usable_blocks as usable on member.block = usable.block;
analyze needed_features;

create temporary table record_groups on commit drop as
select
    (row_number() over (order by min(stored.record collate "C")))::integer as group_number,
    stored.features,
    min(stored.record collate "C") as record,
    count(*) as records,
    stored.features in (select affected.features from affected_features as affected)
        as is_affected
from identity.scored_records as stored
where
    stored.domain = {domain}
    and stored.features in (select needed.features from needed_features as needed)
group by stored.features;
create unique index on record_groups (group_number);
analyze record_groups;
