-- Links by keys and rules, by the model, and by people, and what speaks against links; a pair that is
-- possible only is support.
create or replace temporary view source_links as
select
    left_record,
    right_record,
    method,
    coalesce(rule, '') as rule,
    probability::numeric(6, 5) as probability
from {key_links}
union all
select
    scored.left_record,
    scored.right_record,
    case when scored.probability >= terms.accept_above then 'model' else 'support' end,
    'splink',
    scored.probability::numeric(6, 5)
from identity.scored_pairs as scored
inner join terms
    on
        split_part(scored.left_record, '|', 1) = terms.left_system
        and split_part(scored.right_record, '|', 1) = terms.right_system
where
    scored.domain = {domain}
    and scored.probability >= case
        when current_setting('concord.finds_support')::boolean then terms.review_above
        else terms.accept_above
    end
union all
select
    left_record,
    right_record,
    case ruling when 'same' then 'steward' else 'different' end,
    'ruling',
    1
from identity.active_rulings
where domain = {domain} and ruling in ('same', 'different')
union all
select
    left_record,
    right_record,
    'clash',
    rule,
    1
from {key_clashes}
-- People's names and numbers are mistyped, and what else they share tells; of companies, those of one
-- group share nearly everything but their names.
where {domain} = 'customers';
