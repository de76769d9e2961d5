-- What is alike in all that the model compares has one face.
create or replace temporary view source_records as
select
    records.record,
    records.source_system,
    records.entity,
    records.source_key,
    coalesce(array_to_string(records.conflict_keys, e'\x1f'), '') as conflict_keys,
    records.merged_into is not null as is_merged,
    coalesce(scored.features::text, '') as face
from {records} as records
left join identity.scored_records as scored
    on scored.domain = {domain} and records.record = scored.record;
