{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['value_hash'],
        on_schema_change='append_new_columns',
        pre_hook=[
            "{{ identity_affected_pairs('customer_values') }}",
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
    select
        record,
        source_system,
        entity,
        source_key,
        kind,
        merged_into,
        external_id,
        record_number,
        normalised_name,
        first_word,
        legal_form,
        tax_key,
        tax_country,
        registration_key,
        phones,
        emails,
        email_domain,
        website_domain,
        postal_code,
        city,
        addresses,
        name_words
    from {{ ref('customer_records') }}
    where {{ identity_only_holders() }}
),

named_once as (
    select
        source_system,
        entity,
        external_id
    from records
    where external_id is not null
    group by source_system, entity, external_id
    having count(*) <= {{ identity_shared_value_limit() }}
),

naming_records as (
    select records.*
    from records
    inner join named_once
        on
            records.source_system = named_once.source_system
            and records.entity = named_once.entity
            and records.external_id = named_once.external_id
),

-- An external id names a record of the other kind by its key or, failing that, by its number.
named_records as (
    select
        naming.record,
        naming.normalised_name,
        naming.external_id,
        named.record as named_record,
        named.normalised_name as named_normalised_name,
        1 as precedence
    from naming_records as naming
    inner join records as named
        on naming.external_id = named.source_key and naming.kind <> named.kind
    union all
    select
        naming.record,
        naming.normalised_name,
        naming.external_id,
        named.record as named_record,
        named.normalised_name as named_normalised_name,
        2 as precedence
    from naming_records as naming
    inner join records as named
        on naming.external_id = named.record_number and naming.kind <> named.kind
    where naming.kind = 'crm' and naming.external_id <> named.source_key
),

best_named_records as (
    select
        *,
        rank() over (partition by record order by precedence) as preference,
        count(*) over (partition by record, precedence) as candidate_count
    from named_records
),

external_id_pairs as (
    select
        record as one,
        named_record as other,
        'external_id' as rule,
        {{ identity_value_hash("'reference'", 'external_id') }} as value_hash
    from best_named_records
    where
        preference = 1
        -- Two companies' ERPs may use the same key: then the name decides.
        and (candidate_count = 1 or normalised_name = named_normalised_name)
),

merge_pairs as (
    select
        losers.record as one,
        survivors.record as other,
        'merged_into' as rule,
        {{ identity_value_hash("'reference'", 'losers.merged_into') }} as value_hash
    from records as losers
    inner join records as survivors
        on
            losers.source_system = survivors.source_system
            and losers.entity = survivors.entity
            and losers.merged_into = survivors.source_key
            and losers.source_key <> survivors.source_key
),

-- A value that includes the name is shared by namesakes; any other tells one company.
{{ identity_compared_values(
    identity_customer_values(),
    'case when common.largest_use = ' ~ identity_shared_value_limit()
    ~ ' then left(first_word, 3) end',
) }},

{{ identity_value_pairs() }},

ordered_pairs as (
    select
        least(one, other) as left_record,
        greatest(one, other) as right_record,
        rule,
        value_hash
    from (
        select * from external_id_pairs
        union all
        select * from merge_pairs
        union all
        select
            one,
            other,
            rule,
            value_hash
        from value_pairs
        where rule <> 'number_and_name' or one_kind <> other_kind
    ) as pairs
    where {{ only_affected(['value_hash']) }}
),

compared_pairs as (
    select
        pairs.left_record,
        pairs.right_record,
        pairs.rule,
        pairs.value_hash,
        pairs.rule like 'name\_and\_%' as is_rule,
        one.tax_country <> other.tax_country as has_other_country,
        one.postal_code <> other.postal_code as has_other_postal_code,
        one.addresses && other.addresses as has_same_address,
        one.legal_form <> other.legal_form as has_other_legal_form,
        case
            when pairs.rule in ('tax_id', 'registration_id', 'external_id')
                then
                    one.normalised_name = other.normalised_name
                    or one.phones && other.phones
                    or one.emails && other.emails
                    or one.addresses && other.addresses
                    or one.postal_code = other.postal_code
                    or one.email_domain = other.email_domain
                    or one.website_domain = other.website_domain
                    or {{ names_are_alike }}
        end as is_corroborated
    from ordered_pairs as pairs
    inner join records as one on pairs.left_record = one.record
    inner join records as other on pairs.right_record = other.record
),

judged_pairs as (
    select
        left_record,
        right_record,
        rule,
        is_rule,
        case
            when rule in ('tax_id', 'registration_id') and has_other_country
                then 'numbers of different countries'
            when rule in ('tax_id', 'registration_id') and not coalesce(is_corroborated, false)
                then 'nothing alike but the number'
            when
                rule = 'external_id'
                and (has_other_country or has_other_postal_code)
                and not coalesce(is_corroborated, false)
                then 'nothing alike but the reference'
        end as clash,
        value_hash,
        {{ current_version() }} as version
    from compared_pairs
    where
        not is_rule
        or has_other_country is not true
        and (rule <> 'name_and_town' or has_other_postal_code is not true)
        -- A company and its partnership (GmbH, GmbH & Co. KG) share their name and most else.
        and has_other_legal_form is not true
        -- Of namesakes in one town at two addresses, the model knows how rare their name is.
        and (
            rule not in ('name_and_town', 'name_and_postal_code')
            or has_same_address is not false
        )
)

select * from judged_pairs
