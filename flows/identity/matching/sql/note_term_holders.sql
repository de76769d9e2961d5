-- Records that hold a value whose rarity changed are weighed anew.
insert into affected_features (features)
select distinct holder.features
from (
    select
        stored.features,
        unnest(stored.terms) as term
    from identity.scored_records as stored
    where stored.domain = {domain}
) as holder
inner join term_changes as changed
    on
        holder.term = changed.term
        and (
            identity.frequency_bucket(changed.records)
            <> identity.frequency_bucket(changed.records_before)
            or (changed.records <= {rare_records}) <> (changed.records_before <= {rare_records})
        )
where
    changed.records > 0
    and changed.records_before > 0
    and not exists (select from affected_features as known where known.features = holder.features);
