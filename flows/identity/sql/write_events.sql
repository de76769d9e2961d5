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
        (select count(*) from settled where settled.id = created.id) as records
    from created_ids as created
    union all
    select
        2,
        'restored',
        restored.id,
        null,
        (select count(*) from settled where settled.id = restored.id)
    from restored_ids as restored
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
        (select sum(move.records) from moves as move where move.held_id = retired.id)
    from retired_ids as retired
    where retired.succeeded_by is null
) as happened
order by happened.place, length(happened.id), happened.id, happened.other_id;
