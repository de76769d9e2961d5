select
    link.left_record,
    link.right_record,
    link.method,
    link.rule,
    link.probability::double precision
from identity.used_links as link
inner join affected on link.left_record = affected.record
where link.domain = {domain}
