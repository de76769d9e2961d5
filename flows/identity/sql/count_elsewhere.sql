-- How many records outside are at home in the ids not in use that affected ones may take back.
select
    home.id,
    count(*)
from (
    select distinct near.id
    from affected
    inner join identity.homes as near on affected.record = near.record and near.domain = {domain}
    inner join {ids} as ids on near.id = ids.{id}
    where ids.retired_at is not null
) as candidate
inner join identity.homes as home on candidate.id = home.id and home.domain = {domain}
inner join identity.used_records as used
    on home.record = used.record and used.domain = {domain}
where not exists (select from affected where affected.record = home.record)
group by home.id
