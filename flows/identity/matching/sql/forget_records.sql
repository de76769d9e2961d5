-- Everything is scored anew: no record counts as known. A table that is emptied whole is filled
-- again without a log of every row, in half the time.
do $body$
begin
    if exists (select from identity.scored_records where domain <> {domain}) then
        delete from identity.scored_records where domain = {domain};
        delete from identity.term_frequencies where domain = {domain};
    else
        truncate identity.scored_records, identity.term_frequencies;
    end if;
    if not exists (select from identity.scored_pairs) then
        truncate identity.scored_pairs;
    end if;
end
$body$;
