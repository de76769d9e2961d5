insert into affected_features (features)
select distinct stored.features
from identity.scored_records as stored
cross join lateral unnest(stored.blocks) as member (block)
inner join turned_blocks as turned on member.block = turned.block
where
    stored.domain = {domain}
    and not exists (select from affected_features as known where known.features = stored.features);
