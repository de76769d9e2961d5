analyze found_pairs (left_group, right_group);

create temporary table group_members on commit drop as
select
    record_groups.group_number,
    stored.record,
    record_groups.records,
    stored.record = record_groups.record as is_first
from record_groups
inner join identity.scored_records as stored
    on stored.domain = {domain} and record_groups.features = stored.features;
analyze group_members;

create temporary table new_pairs on commit drop as
select
    least(one.record, other.record) as left_record,
    greatest(one.record, other.record) as right_record,
    found.match_weight,
    found.probability,
    found.levels,
    found.weights
from found_pairs as found
inner join group_members as one on found.left_group = one.group_number
inner join group_members as other on found.right_group = other.group_number
where
    (found.left_group <> found.right_group or one.record < other.record)
    and (
        one.is_first
        or other.is_first
        or one.records * other.records <= {most_pairs_of_groups}
    );
create index on new_pairs (left_record, right_record);
analyze new_pairs (left_record, right_record);

create temporary table affected_records on commit drop as
select member.record
from group_members as member
inner join record_groups on member.group_number = record_groups.group_number
where record_groups.is_affected and not {is_full}
union
select record from changed_records where not {is_full};
create index on affected_records (record);
analyze affected_records;

delete from identity.scored_pairs as stored
where
    stored.domain = {domain}
    and (
        {is_full}
        or stored.left_record in (select affected.record from affected_records as affected)
        or stored.right_record in (select affected.record from affected_records as affected)
    )
    and not exists (
        select from new_pairs as found
        where
            found.left_record = stored.left_record
            and found.right_record = stored.right_record
            and found.match_weight = stored.match_weight
            and found.levels = stored.levels
            and found.weights = stored.weights
    );

insert into identity.scored_pairs (
    domain, left_record, right_record, match_weight, probability, levels, weights, version
)
select
    {domain},
    left_record,
    right_record,
    match_weight,
    probability,
    levels,
    weights,
    {version}
from new_pairs
on conflict (domain, left_record, right_record) do nothing;
