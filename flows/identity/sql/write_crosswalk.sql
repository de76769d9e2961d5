-- Bring the crosswalk to what was awarded; rows that stay as they are keep their version.
insert into identity.customer_ids (customer_id, created_run_id)
select
    customer_id,
    current_setting('concord.run_id')::bigint
from created_ids;

create temporary table changed_records on commit drop as
select
    coalesce(member.source_system, held.source_system) as source_system,
    coalesce(member.entity, held.entity) as entity,
    coalesce(member.source_key, held.source_key) as source_key,
    held.crosswalk_id,
    held.customer_id as held_customer_id,
    award.customer_id,
    member.method,
    member.rule,
    member.probability
from members as member
inner join awards as award on member.component = award.component
full outer join (
    select * from identity.customer_crosswalk where is_current
) as held
    on
        member.source_system = held.source_system
        and member.entity = held.entity
        and member.source_key = held.source_key
where
    (held.customer_id, held.method, held.rule, held.probability)
    is distinct from (award.customer_id, member.method, member.rule, member.probability);

update identity.customer_crosswalk as held
set valid_to = now(), version = current_setting('concord.run_id')::bigint
from changed_records as changed
where held.crosswalk_id = changed.crosswalk_id;

insert into identity.customer_crosswalk (
    customer_id, source_system, entity, source_key, method, rule, probability, version
)
select
    customer_id,
    source_system,
    entity,
    source_key,
    method,
    rule,
    probability,
    current_setting('concord.run_id')::bigint
from changed_records
where customer_id is not null
order by source_system, entity, source_key;

create temporary table restored_ids on commit drop as
select ids.customer_id
from identity.customer_ids as ids
inner join awards as award on ids.customer_id = award.customer_id
where ids.retired_at is not null;

update identity.customer_ids
set merged_into = null, retired_at = null
where customer_id in (select customer_id from restored_ids);

-- An id without records left stands for the one that most of its last records hold now.
create temporary table retired_ids on commit drop as
select
    ids.customer_id,
    (
        select changed.customer_id
        from changed_records as changed
        where changed.held_customer_id = ids.customer_id and changed.customer_id is not null
        group by changed.customer_id
        order by count(*) desc, changed.customer_id
        limit 1
    ) as merged_into
from identity.customer_ids as ids
where
    ids.retired_at is null
    and not exists (select from awards where awards.customer_id = ids.customer_id);

update identity.customer_ids as ids
set merged_into = retired.merged_into, retired_at = now()
from retired_ids as retired
where ids.customer_id = retired.customer_id;

-- Ids that stood for one retired now, or for nobody, follow it, so that one look-up resolves any id.
update identity.customer_ids as ids
set merged_into = retired.merged_into
from retired_ids as retired
where ids.merged_into = retired.customer_id;
