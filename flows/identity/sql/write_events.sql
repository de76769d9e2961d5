-- What became of ids, in an order that tells the story: first what appears, then what moves.
with sizes as (
    select
        id,
        count(*) as records
    from settled
    where
        id in (select created.id from created_ids as created)
        or id in (select restored.id from restored_ids as restored)
    group by id
),

lost as (
    select
        held_id as id,
        sum(records) as records
    from moves
    group by held_id
)

insert into identity.events (domain, event, id, other_id, records, run_id)
select
    {domain},
    happened.event,
    happened.id,
    happened.other_id,
    happened.records,
    current_setting('concord.run_id')::bigint
from (
    select
        1 as place,
        'created' as event,
        created.id,
        null as other_id,
        sizes.records
    from created_ids as created
    inner join sizes on created.id = sizes.id
    union all
    select
        2,
        'restored',
        restored.id,
        null,
        sizes.records
    from restored_ids as restored
    inner join sizes on restored.id = sizes.id
    union all
    select
        case when retired.id is null then 3 else 4 end,
        case when retired.id is null then 'split' else 'merged' end,
        move.held_id,
        move.id,
        move.records
    from moves as move
    left join retired_ids as retired on move.held_id = retired.id
    where move.held_id is not null and move.id is not null
    union all
    select
        5,
        'retired',
        retired.id,
        null,
        lost.records
    from retired_ids as retired
    inner join lost on retired.id = lost.id
    where retired.succeeded_by is null
) as happened
order by happened.place, length(happened.id), happened.id, happened.other_id;
