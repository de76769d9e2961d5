-- Bring the crosswalk to what was settled; rows that stay as they are keep their version.
analyze settled;
create temporary table changed_records on commit drop as
select
    affected.record,
    affected.source_system,
    affected.entity,
    affected.source_key,
    held.crosswalk_id,
    held.{id} as held_id,
    settled.id,
    settled.method,
    settled.rule,
    settled.probability
from affected
left join settled on affected.record = settled.record
left join {crosswalk} as held
    on
        affected.source_system = held.source_system
        and affected.entity = held.entity
        and affected.source_key = held.source_key
        and held.valid_to is null
where
    (held.{id}, held.method, held.rule, held.probability)
    is distinct from (settled.id, settled.method, settled.rule, settled.probability);
analyze changed_records;

update {crosswalk} as held
set valid_to = now(), version = current_setting('concord.run_id')::bigint
from changed_records as changed
where held.crosswalk_id = changed.crosswalk_id;

insert into {crosswalk} (
    {id}, source_system, entity, source_key, method, rule, probability, version
)
select
    id,
    source_system,
    entity,
    source_key,
    method,
    rule,
    probability,
    current_setting('concord.run_id')::bigint
from changed_records
where id is not null
order by record;
