-- Every record with its component and the strongest link that put it there.
create temporary table strongest_links on commit drop as
select distinct on (source_system, entity, source_key) *
from (
    select
        left_source_system as source_system,
        left_entity as entity,
        left_key as source_key,
        method,
        rule,
        probability
    from identity.customer_links
    union all
    select
        right_source_system,
        right_entity,
        right_key,
        method,
        rule,
        probability
    from identity.customer_links
) as link
order by source_system, entity, source_key, probability desc, method, rule;
analyze strongest_links;
analyze node_components;

create temporary table members on commit drop as
select
    record.source_system,
    record.entity,
    record.source_key,
    coalesce(
        node_component.component,
        -row_number() over (order by record.source_system, record.entity, record.source_key)
    ) as component,
    coalesce(link.method, 'singleton') as method,
    link.rule,
    coalesce(link.probability, 1)::numeric(6, 5) as probability
from identity.customer_records as record
left join linked_nodes as node
    on
        record.source_system = node.source_system
        and record.entity = node.entity
        and record.source_key = node.source_key
left join node_components as node_component on node.node = node_component.node
left join strongest_links as link
    on
        record.source_system = link.source_system
        and record.entity = link.entity
        and record.source_key = link.source_key;
create index on members (source_system, entity, source_key);
create index on members (component);
analyze members;
