select
    source.record,
    source.source_system,
    source.conflict_keys,
    source.is_merged,
    source.face,
    held.{id}
from affected
-- In the order that the records' index is in.
inner join source_records as source on affected.record collate "default" = source.record
left join {crosswalk} as held
    on
        affected.source_system = held.source_system
        and affected.entity = held.entity
        and affected.source_key = held.source_key
        and held.valid_to is null
order by affected.record
