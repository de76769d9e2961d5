-- What stands already, with the same ruling, is not written again.
with given as (
    select * from unnest(
        %(lefts)s::text[], %(rights)s::text[], %(rulings)s::text[], %(reasons)s::text[],
        %(deciders)s::text[]
    ) as given (left_record, right_record, ruling, reason, decided_by)
),
compared as ({snapshots})
insert into ops.decisions (
    domain, left_record, right_record, ruling, reason, decided_by, entered_through,
    compared, compared_hash
)
select
    %(domain)s, given.left_record, given.right_record, given.ruling,
    nullif(btrim(given.reason), ''), given.decided_by, %(through)s,
    compared.compared, {hash}
from given
left join compared using (left_record, right_record)
where not exists (
    select from ops.decisions as standing
    where standing.domain = %(domain)s
        and standing.left_record = given.left_record
        and standing.right_record = given.right_record
        and standing.status = 'active'
        and standing.ruling = given.ruling
)
