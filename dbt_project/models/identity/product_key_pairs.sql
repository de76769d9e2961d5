{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['value_hash'],
        on_schema_change='append_new_columns',
        pre_hook=[
            "{{ identity_affected_pairs('product_values') }}",
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
    select * from {{ ref('product_records') }}
    where {{ identity_only_holders() }}
),

{{ identity_compared_values(identity_product_values()) }},

{{ identity_value_pairs() }},

judged_pairs as (
    select
        pairs.one as left_record,
        pairs.other as right_record,
        pairs.rule,
        pairs.value_hash,
        pairs.rule = 'written_alike' as is_rule,
        one.source_system <> other.source_system as is_of_two_systems,
        coalesce(
            one.normalised_name = other.normalised_name,
            one.normalised_name is null and other.normalised_name is null
        ) as has_same_name,
        case
            when not {{ names_are_alike }}
                then 'nothing alike but the number'
        end as clash
    from value_pairs as pairs
    inner join records as one on pairs.one = one.record
    inner join records as other on pairs.other = other.record
),

-- One system tells its products apart by more than their numbers.
likely_pairs as (
    select
        left_record,
        right_record,
        rule,
        is_rule,
        clash,
        value_hash,
        {{ current_version() }} as version
    from judged_pairs
    where
        (is_of_two_systems or has_same_name)
        and (clash is null or not is_rule)
)

select * from likely_pairs
