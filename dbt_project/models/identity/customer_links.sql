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
        source_system,
        entity,
        source_key,
        kind,
        normalised_name,
        split_part(normalised_name, ' ', 1) as first_word,
        tax_id,
        registration_id,
        postal_code,
        record_number,
        external_id,
        count(*) over (partition by source_system, entity, external_id) as external_id_uses,
        merged_into
    from {{ ref('customer_records') }}
),

-- An external id names a record of the other kind by its key or, failing that, by its number.
named_records as (
    select
        naming.source_system,
        naming.entity,
        naming.source_key,
        naming.external_id_uses,
        naming.normalised_name,
        named.source_system as named_source_system,
        named.entity as named_entity,
        named.source_key as named_key,
        named.normalised_name as named_normalised_name,
        1 as precedence
    from records as naming
    inner join records as named
        on naming.external_id = named.source_key and naming.kind <> named.kind
    union all
    select
        naming.source_system,
        naming.entity,
        naming.source_key,
        naming.external_id_uses,
        naming.normalised_name,
        named.source_system as named_source_system,
        named.entity as named_entity,
        named.source_key as named_key,
        named.normalised_name as named_normalised_name,
        2 as precedence
    from records as naming
    inner join records as named
        on naming.external_id = named.record_number and naming.kind <> named.kind
    where naming.kind = 'crm' and naming.external_id <> named.source_key
),

best_named_records as (
    select
        *,
        rank() over (
            partition by source_system, entity, source_key order by precedence
        ) as preference,
        count(*) over (
            partition by source_system, entity, source_key, precedence
        ) as candidate_count
    from named_records
),

external_id_links as (
    select
        named.source_system as left_source_system,
        named.entity as left_entity,
        named.source_key as left_key,
        named.named_source_system as right_source_system,
        named.named_entity as right_entity,
        named.named_key as right_key,
        'external_id' as rule
    from best_named_records as named
    where
        named.preference = 1
        and named.external_id_uses <= {{ identity_shared_value_limit() }}
        -- Two companies' ERPs may use the same key: then the name decides.
        and (named.candidate_count = 1 or named.normalised_name = named.named_normalised_name)
),

merge_links as (
    select
        losers.source_system as left_source_system,
        losers.entity as left_entity,
        losers.source_key as left_key,
        survivors.source_system as right_source_system,
        survivors.entity as right_entity,
        survivors.source_key as right_key,
        'merged_into' as rule
    from records as losers
    inner join records as survivors
        on
            losers.source_system = survivors.source_system
            and losers.entity = survivors.entity
            and losers.merged_into = survivors.source_key
            and losers.source_key <> survivors.source_key
),

compared_values as (
    select
        *,
        'tax_id' as rule,
        tax_id as compared_value,
        null::text as side
    from records
    where tax_id is not null
    union all
    select
        *,
        'registration_id' as rule,
        registration_id as compared_value,
        null as side
    from records
    where registration_id is not null
    union all
    -- The same number in a CRM and an ERP means little without the name.
    select
        *,
        'number_and_name' as rule,
        record_number || '|' || normalised_name as compared_value,
        kind as side
    from records
    where record_number is not null and normalised_name is not null
    union all
    select
        *,
        'name_and_postal_code' as rule,
        normalised_name || '|' || postal_code as compared_value,
        null as side
    from records
    where length(normalised_name) >= 2 and postal_code is not null
),

value_uses as (
    select
        rule,
        compared_value,
        source_system,
        count(*) as use_count,
        count(distinct first_word) as first_word_count
    from compared_values
    group by rule, compared_value, source_system
),

trusted_values as (
    select
        rule,
        compared_value
    from value_uses
    group by rule, compared_value
    having
        sum(use_count) > 1
        and max(use_count) <= {{ identity_shared_value_limit() }}
        and max(first_word_count) <= 1
),

value_links as (
    select
        one.source_system as left_source_system,
        one.entity as left_entity,
        one.source_key as left_key,
        other.source_system as right_source_system,
        other.entity as right_entity,
        other.source_key as right_key,
        trusted.rule
    from trusted_values as trusted
    inner join compared_values as one
        on trusted.rule = one.rule and trusted.compared_value = one.compared_value
    inner join compared_values as other
        on trusted.rule = other.rule and trusted.compared_value = other.compared_value
    where
        (one.source_system, one.entity, one.source_key)
        < (other.source_system, other.entity, other.source_key)
        and (one.side is null or one.side <> other.side)
),

all_links as (
    select * from external_id_links
    union all
    select * from merge_links
    union all
    select * from value_links
),

ordered_links as (
    select
        case when is_ordered then left_source_system else right_source_system end
            as left_source_system,
        case when is_ordered then left_entity else right_entity end as left_entity,
        case when is_ordered then left_key else right_key end as left_key,
        case when is_ordered then right_source_system else left_source_system end
            as right_source_system,
        case when is_ordered then right_entity else left_entity end as right_entity,
        case when is_ordered then right_key else left_key end as right_key,
        rule
    from (
        select
            *,
            (left_source_system, left_entity, left_key)
            < (right_source_system, right_entity, right_key) as is_ordered
        from all_links
    ) as links
),

strongest_links as (
    select distinct on (
        left_source_system, left_entity, left_key, right_source_system, right_entity, right_key
    )
        left_source_system,
        left_entity,
        left_key,
        right_source_system,
        right_entity,
        right_key,
        case when rule = 'name_and_postal_code' then 'rule' else 'key' end as method,
        rule,
        case when rule = 'name_and_postal_code' then 0.99 else 1 end::numeric(6, 5) as probability
    from ordered_links
    order by
        left_source_system,
        left_entity,
        left_key,
        right_source_system,
        right_entity,
        right_key,
        array_position(
            array[
                'merged_into', 'external_id', 'tax_id', 'registration_id',
                'number_and_name', 'name_and_postal_code'
            ],
            rule
        )
)

select * from strongest_links
