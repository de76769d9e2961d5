-- The values that a person sees of each asked pair; what is empty is left out.
with asked as (
    select * from unnest(
        %(lefts)s::text [], %(rights)s::text []
    ) as pair (left_record, right_record)
),
shown as (
    select
        held.record,
        coalesce(
            jsonb_object_agg(field.key, field.value) filter (
                where field.key = any(%(fields)s)
                and field.value not in ('null', '""', '[]')
            ), '{{}}'
        ) as fields
    from {records} as held
    cross join lateral jsonb_each(to_jsonb(held)) as field
    where held.record = any(%(lefts)s) or held.record = any(%(rights)s)
    group by held.record
)
select
    asked.left_record,
    asked.right_record,
    jsonb_build_object('left', one.fields, 'right', other.fields) as compared
from asked
inner join shown as one on asked.left_record = one.record
inner join shown as other on asked.right_record = other.record
