-- A component claims the ids its records hold, by how many hold each; where no such id is left it
-- may have a retired one back that its records held last before.
create temporary table components on commit drop as
select
    component,
    min(array[source_system, entity, source_key]) as first_record
from members
group by component;

create temporary table claims on commit drop as
select
    'current' as standing,
    member.component,
    held.customer_id,
    count(*) as strength
from members as member
inner join identity.customer_crosswalk as held
    on
        member.source_system = held.source_system
        and member.entity = held.entity
        and member.source_key = held.source_key
where held.is_current
group by member.component, held.customer_id
union all
select
    'former',
    member.component,
    held.customer_id,
    max(held.crosswalk_id)
from members as member
inner join identity.customer_crosswalk as held
    on
        member.source_system = held.source_system
        and member.entity = held.entity
        and member.source_key = held.source_key
where not held.is_current
group by member.component, held.customer_id;

create temporary table awards (
    component bigint primary key,
    customer_id text unique
) on commit drop;
create temporary table created_ids (customer_id text) on commit drop;
analyze components;
analyze claims;
