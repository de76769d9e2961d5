-- What is emptied and filled in one transaction needs no log of every row: the first assignment
-- takes half the time for it.
do $body$
begin
    if not exists (select from {crosswalk}) and not exists (select from {ids}) then
        truncate {crosswalk}, {ids};
    end if;
    if
        not exists (select from identity.used_records)
        and not exists (select from identity.used_links)
    then
        truncate identity.used_records, identity.used_links;
    end if;
    if not exists (select from identity.homes) and not exists (select from identity.events) then
        truncate identity.homes, identity.events;
    end if;
end
$body$;
