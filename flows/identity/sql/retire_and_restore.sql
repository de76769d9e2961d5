-- Ids that records came back to, and ids that the last record has left.
create temporary table restored_ids on commit drop as
select distinct ids.{id} as id
from changed_records as changed
inner join {ids} as ids on changed.id = ids.{id}
where ids.retired_at is not null;

update {ids}
set retired_at = null, merged_into = null, succeeded_by = null
where {id} in (select id from restored_ids);

create temporary table moves on commit drop as
select
    held_id,
    id,
    count(*)::integer as records
from changed_records
where held_id is distinct from id
group by held_id, id;
analyze moves;

-- An id without records left stands for the one that most of its last records hold now.
create temporary table retired_ids on commit drop as
select
    ids.{id} as id,
    successor.id as succeeded_by
from {ids} as ids
left join (
    select distinct on (held_id)
        held_id,
        id
    from moves
    where held_id is not null and id is not null
    order by held_id asc, records desc, length(id) asc, id asc
) as successor on ids.{id} = successor.held_id
where
    ids.retired_at is null
    and ids.{id} in (select move.held_id from moves as move where move.held_id is not null)
    and not exists (
        select from {crosswalk} as held where held.{id} = ids.{id} and held.valid_to is null
    );

update {ids} as ids
set retired_at = now(), succeeded_by = retired.succeeded_by
from retired_ids as retired
where ids.{id} = retired.id;
