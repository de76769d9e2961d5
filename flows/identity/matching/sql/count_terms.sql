-- How often each value is held now, and which values became clearly rarer or more common.
create temporary table term_changes on commit drop as
select
    changes.term,
    coalesce(stored.records, 0) as records_before,
    coalesce(stored.records, 0) + sum(changes.difference)::bigint as records
from (
    select
        unnest(terms) as term,
        1 as difference
    from changed_records
    union all
    select
        unnest(former_terms),
        -1
    from changed_records
) as changes
left join identity.term_frequencies as stored
    on stored.domain = {domain} and changes.term = stored.term
group by changes.term, stored.records
having sum(changes.difference) <> 0;

delete from identity.term_frequencies as stored
using term_changes as changed
where stored.domain = {domain} and stored.term = changed.term and changed.records <= 0;

update identity.term_frequencies as stored
set records = changed.records
from term_changes as changed
where
    stored.domain = {domain}
    and stored.term = changed.term
    and changed.records_before > 0
    and changed.records > 0;

insert into identity.term_frequencies (domain, term, records)
select
    {domain},
    term,
    records
from term_changes
where records_before = 0 and records > 0
-- In the order of the index, which fills it fast.
order by term collate "C";
