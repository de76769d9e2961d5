-- Six digits to read well; longer numbers simply grow.
create temporary table created_ids on commit drop as
select
    place,
    current_setting('concord.prefix') || repeat('0', greatest(6 - length(number), 0)) || number as id
from (
    select
        place,
        nextval({sequence})::text as number
    from generate_series(1, current_setting('concord.count')::bigint) as place
) as numbered;

insert into {ids} ({id}, created_run_id)
select
    id,
    current_setting('concord.run_id')::bigint
from created_ids;
