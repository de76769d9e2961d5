-- A 'same' or 'different' that is asked again stays in force until a person says otherwise; one
-- whose values are back as they were needs no asking.
with now as ({snapshots}),
hashed as (select *, {hash} as hash from now),
judged as (
    select
        decision.decision_id,
        hashed.compared,
        hashed.hash,
        case
            when decision.compared_hash is null or decision.compared_hash = hashed.hash
                then 'active'
            else 'reopened'
        end as status,
        decision.compared_hash is null as is_first_look
    from ops.decisions as decision
    inner join hashed using (left_record, right_record)
    where decision.domain = %(domain)s and decision.status in ('active', 'reopened')
)
update ops.decisions as decision
set status = judged.status,
    status_at = case
        when decision.status <> judged.status then clock_timestamp() else decision.status_at
    end,
    compared = case when judged.is_first_look then judged.compared else decision.compared end,
    compared_hash = coalesce(decision.compared_hash, judged.hash)
from judged
where decision.decision_id = judged.decision_id
    and (decision.status <> judged.status or judged.is_first_look)
returning decision.status = 'reopened'
