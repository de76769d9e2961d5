-- Number the records that any link names, so that they can be grouped by number.
create temporary table linked_nodes on commit drop as
select
    record.source_system,
    record.entity,
    record.source_key,
    row_number() over (order by record.source_system, record.entity, record.source_key) - 1 as node
from (
    select
        left_source_system as source_system,
        left_entity as entity,
        left_key as source_key
    from identity.customer_links
    union
    select
        right_source_system,
        right_entity,
        right_key
    from identity.customer_links
) as record;
analyze linked_nodes;

create temporary table numbered_links on commit drop as
select
    left_node.node as left_node,
    right_node.node as right_node
from identity.customer_links as link
inner join linked_nodes as left_node
    on
        link.left_source_system = left_node.source_system
        and link.left_entity = left_node.entity
        and link.left_key = left_node.source_key
inner join linked_nodes as right_node
    on
        link.right_source_system = right_node.source_system
        and link.right_entity = right_node.entity
        and link.right_key = right_node.source_key;

create temporary table node_components (node bigint, component bigint) on commit drop;
