{{
    config(
        materialized='table',
        pre_hook='set local enable_nestloop = off',
        post_hook='analyze {{ this }}',
    )
}}

-- Nested loops are off: the planner takes shared values for rare and would compare all pairs.
with

records as (
    select
        *,
        case
            when normalised_first_name is not null and normalised_last_name is not null
                then normalised_name
        end as whole_name
    from {{ ref('contact_records') }}
),

-- What two records may have in common: a rule, the value, and how often one system may hold it.
compared_values as (
    select
        record,
        source_system,
        kind,
        -- Misspelt names of one person differ; the pairs are compared below.
        null::text as first_word,
        common.rule,
        common.compared_value,
        common.largest_use
    from records
    left join lateral unnest(customer_keys) as customer_key on true
    left join lateral unnest(phones) as phone on true
    cross join lateral (
        values
        ('national_id', national_id, {{ identity_shared_value_limit() }}),
        ('name_and_email', whole_name || '|' || emails[1], {{ identity_shared_name_limit() }}),
        ('name_and_phone', whole_name || '|' || phone, {{ identity_shared_name_limit() }}),
        ('name_and_customer', whole_name || '|' || customer_key, {{ identity_shared_name_limit() }})
    ) as common (rule, compared_value, largest_use)
    where common.compared_value is not null
    group by record, source_system, kind, common.rule, common.compared_value, common.largest_use
),

{{ identity_value_pairs('compared_values') }},

compared_pairs as (
    select distinct
        pairs.one as left_record,
        pairs.other as right_record,
        pairs.rule,
        {{ function('names_are_alike') }}(one.normalised_name, other.normalised_name)
        or one.given_name = other.given_name as has_alike_names,
        one.birth_date <> other.birth_date as has_other_birth_date
    from value_pairs as pairs
    inner join records as one on pairs.one = one.record
    inner join records as other on pairs.other = other.record
),

judged_pairs as (
    select
        left_record,
        right_record,
        rule,
        rule like 'name\_and\_%' as is_rule,
        case
            when rule = 'national_id' and has_alike_names is not true
                then 'nothing alike but the number'
        end as clash
    from compared_pairs
    -- Father and son share name, mailbox and telephone.
    where rule = 'national_id' or has_other_birth_date is not true
)

select * from judged_pairs
