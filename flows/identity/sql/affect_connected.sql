-- Every record that a changed one is connected with, however far, now; each part that a cluster
-- may fall into holds an end of a link that is gone, so no part is missed.
create temporary table affected on commit drop as
with recursive reached (record) as (
    select record collate "C" from seeds
    union
    select neighbour.record
    from reached
    cross join lateral (
        select link.right_record as record
        from identity.used_links as link
        where
            link.left_record = reached.record
            and link.domain = {domain}
            and link.method not in ('different', 'clash', 'support')
        union all
        select link.left_record
        from identity.used_links as link
        where
            link.right_record = reached.record
            and link.domain = {domain}
            and link.method not in ('different', 'clash', 'support')
    ) as neighbour
)

select
    record,
    split_part(record, '|', 1) as source_system,
    split_part(record, '|', 2) as entity,
    substr(
        record, length(split_part(record, '|', 1)) + length(split_part(record, '|', 2)) + 3
    ) as source_key
from reached;
create unique index on affected (record);
analyze affected;
