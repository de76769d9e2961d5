select
    affected.record,
    home.id,
    (extract(epoch from ids.retired_at) * 1000000)::bigint as retired
from affected
inner join identity.homes as home on affected.record = home.record and home.domain = {domain}
inner join {ids} as ids on home.id = ids.{id}
