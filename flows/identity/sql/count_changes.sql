select
    (select count(*) from source_records) as records,
    (select count(*) from {ids} where retired_at is null) as ids,
    (select count(*) from identity.blocked_links where domain = {domain}) as blocked_links,
    (select count(*) from affected) as affected_records,
    (select count(*) from changed_records) as changed_records,
    (select count(*) from created_ids) as created,
    (select count(*) from retired_ids where succeeded_by is not null) as merged,
    (
        select count(*)
        from moves
        where
            held_id is not null
            and id is not null
            and held_id not in (select retired_ids.id from retired_ids)
    ) as split,
    (select count(*) from restored_ids) as restored,
    (select count(*) from retired_ids where succeeded_by is null) as retired
