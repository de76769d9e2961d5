-- Everything is scored anew: no record counts as known.
delete from identity.scored_records where domain = {domain};
delete from identity.term_frequencies where domain = {domain};
