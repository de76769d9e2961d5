-- Records that hold a value whose rarity changed are weighed anew.
insert into affected_features (features)
select distinct stored.features
from identity.scored_records as stored
cross join lateral unnest(stored.terms) as held (term)
inner join term_changes as changed
    on
        held.term = changed.term
        and (
            identity.frequency_bucket(changed.records)
            <> identity.frequency_bucket(changed.records_before)
            or (changed.records <= {rare_records}) <> (changed.records_before <= {rare_records})
        )
where
    stored.domain = {domain}
    and changed.records > 0
    and changed.records_before > 0
    and not exists (select from affected_features as known where known.features = stored.features);
