select
    (select count(*) from source_records) as records,
    (select count(*) from {ids} where retired_at is null) as ids,
    (select count(*) from identity.blocked_links where domain = {domain}) as blocked_links
