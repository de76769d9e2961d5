{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['value_hash'],
        on_schema_change='append_new_columns',
        pre_hook=[
            "{{ identity_affected_pairs('contact_values') }}",
            'set local enable_nestloop = off',
            "set local work_mem = '256MB'",
        ],
        post_hook='{{ identity_analyze() }}',
    )
}}

-- Nested loops are off: the planner takes shared values for rare and would compare all pairs.
with

records as (
    select * from {{ ref('contact_records') }}
    where {{ identity_only_holders() }}
),

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
    cross join lateral (
        {{ identity_contact_values() }}
    ) as common (rule, compared_value, largest_use)
    where common.compared_value is not null
),

{{ identity_value_pairs('compared_values') }},

compared_pairs as (
    select
        pairs.one as left_record,
        pairs.other as right_record,
        pairs.rule,
        pairs.value_hash,
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
        end as clash,
        value_hash,
        {{ current_version() }} as version
    from compared_pairs
    -- Father and son share name, mailbox and telephone.
    where rule = 'national_id' or has_other_birth_date is not true
)

select * from judged_pairs
