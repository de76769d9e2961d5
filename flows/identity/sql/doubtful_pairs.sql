-- Pairs that a person should look at, with why; a pair may have several reasons.
with doubts as (
    select
        pair.left_record,
        pair.right_record,
        'the model is not sure' as why,
        3 as urgency
    from identity.scored_pairs as pair
    inner join unnest(
        %(left_systems)s::text [], %(right_systems)s::text [],
        %(reviews)s::float8 [], %(accepts)s::float8 []
    ) as terms (left_system, right_system, review_above, accept_above)
        on
            terms.left_system = split_part(pair.left_record, '|', 1)
            and terms.right_system = split_part(pair.right_record, '|', 1)
    where
        pair.domain = {domain}
        and pair.probability >= terms.review_above
        and pair.probability < terms.accept_above
    union all
    select
        left_record,
        right_record,
        'linked by ' || coalesce(rule, method) || ', but ' || case reason
            when 'keep_apart' then 'that would join a pair that is kept apart: '
            when 'key_clash' then 'that would join a pair with a key in common and nothing else: '
            when 'clash' then 'their numbers differ: '
            when 'cardinality' then 'the policy allows fewer records of a system: '
            when 'cohesion' then 'too few of the other pairs support it: '
            else reason || ': '
        end || blocked_by,
        2
    from identity.blocked_links
    where domain = {domain}
    {clashes}
    union all
    select
        left_record,
        right_record,
        'ruled ' || ruling || ' by ' || decided_by || ' on ' || decided_at::date
        || ', but the values have changed since',
        1
    from ops.decisions
    where domain = {domain} and status = 'reopened'
),

identified as (
    select
        doubt.left_record,
        doubt.right_record,
        one.{id} as left_id,
        other.{id} as right_id,
        array_agg(distinct doubt.why order by doubt.why) as why,
        min(doubt.urgency) as urgency
    from doubts as doubt
    left join {crosswalk} as one
        on
            one.is_current
            and one.source_system = split_part(doubt.left_record, '|', 1)
            and one.entity = split_part(doubt.left_record, '|', 2)
            and one.source_key = substr(
                doubt.left_record, length(one.source_system) + length(one.entity) + 3
            )
    left join {crosswalk} as other
        on
            other.is_current
            and other.source_system = split_part(doubt.right_record, '|', 1)
            and other.entity = split_part(doubt.right_record, '|', 2)
            and other.source_key = substr(
                doubt.right_record, length(other.source_system) + length(other.entity) + 3
            )
    group by doubt.left_record, doubt.right_record, one.{id}, other.{id}
),

-- Who is one already needs no ruling, unless a person is asked again.
open_pairs as (
    select pair.*
    from identified as pair
    where
        (pair.left_id is distinct from pair.right_id or pair.urgency = 1)
        and not exists (
            select from ops.decisions as decision
            where
                decision.domain = {domain}
                and decision.left_record = pair.left_record
                and decision.right_record = pair.right_record
                and decision.status = 'active'
        )
        and not exists (
            select from identity.keep_apart as kept
            where
                kept.domain = {domain}
                and kept.left_record = pair.left_record
                and kept.right_record = pair.right_record
        )
        and not exists (
            select from unnest(%(seen_lefts)s::text [], %(seen_rights)s::text []) as seen (one, other)
            where seen.one = pair.left_record and seen.other = pair.right_record
        )
        and exists (select from {records} as record where record.record = pair.left_record)
        and exists (select from {records} as record where record.record = pair.right_record)
),

valued_ids as ({values})

select
    {domain} as domain,
    pair.left_record,
    pair.right_record,
    pair.why,
    pair.urgency,
    pair.left_id,
    pair.right_id,
    score.probability,
    score.match_weight,
    coalesce(score.levels, '{{}}') as levels,
    coalesce(score.weights, '{{}}') as weights,
    case
        when one.value is not null or other.value is not null
            then coalesce(one.value, 0)
                + case when pair.left_id = pair.right_id then 0 else coalesce(other.value, 0) end
    end as value,
    count(*) over () as waiting
from open_pairs as pair
left join identity.scored_pairs as score
    on
        score.domain = {domain}
        and score.left_record = pair.left_record
        and score.right_record = pair.right_record
left join valued_ids as one on pair.left_id = one.id
left join valued_ids as other on pair.right_id = other.id
order by
    value desc nulls last,
    pair.urgency,
    score.probability desc nulls last,
    pair.left_record,
    pair.right_record
limit %(limit)s
