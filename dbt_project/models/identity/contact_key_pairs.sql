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

{%- set names_are_alike = function('names_are_alike')
    ~ '(one.normalised_name, other.normalised_name)' %}

-- Nested loops are off: the planner takes shared values for rare and would compare all pairs.
with

records as (
    select * from {{ ref('contact_records') }}
    where {{ identity_only_holders() }}
),

-- Misspelt names of one person differ in any word; the pairs are compared below.
{{ identity_compared_values(identity_contact_values()) }},

{{ identity_value_pairs() }},

compared_pairs as (
    select
        pairs.one as left_record,
        pairs.other as right_record,
        pairs.rule,
        pairs.value_hash,
        {{ names_are_alike }}
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
