delete from identity.blocked_links as blocked
where
    blocked.domain = {domain}
    and (
        exists (select from affected where affected.record = blocked.left_record)
        or exists (select from affected where affected.record = blocked.right_record)
    )
    and not exists (
        select
        from blocked_now as found
        where
            (
                found.left_record, found.right_record, found.method, found.rule,
                found.probability, found.reason, found.blocked_by
            ) is not distinct from (
                blocked.left_record, blocked.right_record, blocked.method, blocked.rule,
                blocked.probability, blocked.reason, blocked.blocked_by
            )
    );

insert into identity.blocked_links (
    domain, left_record, right_record, method, rule, probability, reason, blocked_by, run_id
)
select
    {domain},
    left_record,
    right_record,
    method,
    rule,
    probability,
    reason,
    blocked_by,
    current_setting('concord.run_id')::bigint
from blocked_now
on conflict (domain, left_record, right_record) do nothing;
