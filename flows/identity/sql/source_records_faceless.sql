-- What is alike makes no difference where no cohesion is asked for.
create or replace temporary view source_records as
select
    record,
    source_system,
    entity,
    source_key,
    coalesce(array_to_string(conflict_keys, e'\x1f'), '') as conflict_keys,
    merged_into is not null as is_merged,
    '' as face
from {records};
