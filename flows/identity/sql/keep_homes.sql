-- A new record is at home in its first id, and so is every record that an id is made for.
insert into identity.homes (domain, record, id)
select
    {domain},
    settled.record,
    settled.id
from settled
where
    exists (select from created_ids as created where created.id = settled.id)
    or not exists (
        select
        from identity.homes as home
        where home.domain = {domain} and home.record = settled.record
    );

-- An id that all its first records have left is at home in those that hold it now.
insert into identity.homes (domain, record, id)
select
    {domain},
    settled.record,
    settled.id
from settled
where
    settled.id not in (
        select home.id
        from settled as at_home
        inner join identity.homes as home
            on
                at_home.record = home.record
                and at_home.id = home.id
                and home.domain = {domain}
    );

-- An id in use is at home with its own records only.
delete from identity.homes as home
using settled, {ids} as ids
where
    home.domain = {domain}
    and home.record = settled.record
    and home.id <> settled.id
    and home.id = ids.{id}
    and ids.retired_at is null;

delete from identity.homes as home
using restored_ids as restored
where
    home.domain = {domain}
    and home.id = restored.id
    and not exists (
        select from settled where settled.record = home.record and settled.id = home.id
    );
