-- What differs from the last assignment, which is brought up to date at once.
create temporary table links_now on commit drop as
select
    least(left_record collate "C", right_record collate "C") as left_record,
    greatest(left_record collate "C", right_record collate "C") as right_record,
    method,
    rule,
    probability::numeric(6, 5) as probability
from source_links
where left_record <> right_record;
analyze links_now;

create temporary table added_links on commit drop as
select *
from links_now as link
where
    not exists (
        select
        from identity.used_links as used
        where
            used.domain = {domain}
            and used.left_record = link.left_record
            and used.right_record = link.right_record
            and used.method = link.method
            and used.rule = link.rule
            and used.probability = link.probability
    );

create temporary table removed_links on commit drop as
select
    used.ctid as place,
    used.left_record,
    used.right_record
from identity.used_links as used
where
    used.domain = {domain}
    and not exists (
        select
        from links_now as link
        where
            used.left_record = link.left_record
            and used.right_record = link.right_record
            and used.method = link.method
            and used.rule = link.rule
            and used.probability = link.probability
    );

create temporary table changed_traits on commit drop as
select
    coalesce(source.record, used.record) collate "C" as record,
    source.traits,
    used.record is null as is_new
from (
    select
        record,
        concat_ws(' ', is_merged, conflict_keys, face) as traits
    from source_records
) as source
full outer join (
    select * from identity.used_records where domain = {domain}
) as used on source.record = used.record
where source.traits is distinct from used.traits;

create temporary table seeds on commit drop as
select record from changed_traits
union
select left_record from added_links
union
select right_record from added_links
union
select left_record from removed_links
union
select right_record from removed_links;

delete from identity.used_links as used
using removed_links as removed
where used.ctid = removed.place;

insert into identity.used_links (domain, left_record, right_record, method, rule, probability)
select
    {domain},
    left_record,
    right_record,
    method,
    rule,
    probability
from added_links;

delete from identity.used_records as used
using changed_traits as changed
where used.domain = {domain} and used.record = changed.record and changed.traits is null;

update identity.used_records as used
set traits = changed.traits
from changed_traits as changed
where
    used.domain = {domain}
    and used.record = changed.record
    and changed.traits is not null
    and not changed.is_new;

insert into identity.used_records (domain, record, traits)
select
    {domain},
    record,
    traits
from changed_traits
where is_new;
