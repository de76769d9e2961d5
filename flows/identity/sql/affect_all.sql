-- Every record there is, and every one that still holds an id.
create temporary table affected on commit drop as
select
    coalesce(source.record, held.source_system || '|' || held.entity || '|' || held.source_key)
    collate "C" as record,
    coalesce(source.source_system, held.source_system) as source_system,
    coalesce(source.entity, held.entity) as entity,
    coalesce(source.source_key, held.source_key) as source_key
from source_records as source
full outer join (
    select * from {crosswalk} where valid_to is null
) as held
    on
        source.source_system = held.source_system
        and source.entity = held.entity
        and source.source_key = held.source_key;
create unique index on affected (record);
analyze affected;
