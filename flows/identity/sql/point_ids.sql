-- Ids out of use follow the records that are at home in them, wherever those go.
create temporary table moved_homes on commit drop as
select
    home.id,
    split_part(home.record, '|', 1) as source_system,
    split_part(home.record, '|', 2) as entity,
    substr(
        home.record,
        length(split_part(home.record, '|', 1)) + length(split_part(home.record, '|', 2)) + 3
    ) as source_key
from (
    select distinct near.id
    from changed_records as changed
    inner join identity.homes as near
        on changed.record = near.record and near.domain = {domain}
    inner join {ids} as ids on near.id = ids.{id}
    where ids.retired_at is not null
) as moved
inner join identity.homes as home on moved.id = home.id and home.domain = {domain};
analyze moved_homes;

create temporary table pointed_ids on commit drop as
select distinct on (vote.id)
    vote.id,
    vote.held_id as succeeded_by
from (
    select
        home.id,
        held.{id} as held_id,
        count(*) as records
    from moved_homes as home
    inner join {crosswalk} as held
        on
            home.source_system = held.source_system
            and home.entity = held.entity
            and home.source_key = held.source_key
            and held.valid_to is null
    group by home.id, held.{id}
) as vote
order by vote.id asc, vote.records desc, length(vote.held_id) asc, vote.held_id asc;
analyze pointed_ids;

update {ids} as ids
set succeeded_by = pointed.succeeded_by
from pointed_ids as pointed
where ids.{id} = pointed.id and ids.succeeded_by is distinct from pointed.succeeded_by;

-- One look-up resolves any id, however many steps it was merged in.
with recursive touched (id) as (
    select id from restored_ids
    union
    select id from retired_ids
    union
    select id from pointed_ids
    union
    select ids.{id}
    from touched
    inner join {ids} as ids on touched.id = ids.succeeded_by
),

steps (id, reached) as (
    select
        id,
        id
    from touched
    union
    select
        steps.id,
        ids.succeeded_by
    from steps
    inner join {ids} as ids on steps.reached = ids.{id}
    where ids.retired_at is not null and ids.succeeded_by is not null
),

ends as (
    select
        steps.id,
        max(steps.reached) filter (where ids.retired_at is null) as merged_into
    from steps
    inner join {ids} as ids on steps.reached = ids.{id}
    group by steps.id
)

update {ids} as ids
set merged_into = ends.merged_into
from ends
where
    ids.{id} = ends.id
    and ids.retired_at is not null
    and ids.merged_into is distinct from ends.merged_into;
