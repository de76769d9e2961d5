{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['record'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_blocks('customer_records') }}",
        post_hook='analyze {{ this }}',
        indexes=[{'columns': ['record']}],
    )
}}

with

records as (
    select
        *,
        replace(normalised_name, ' ', '') as joined_name
    from {{ ref('customer_records') }}
    where not is_deleted and {{ only_affected(['record']) }}
),

blocks as (
    select
        records.record,
        keys.rule,
        keys.block_key,
        records.version
    from records
    cross join lateral (
        -- An address alone makes no pairs: what is not alike in name needs more in common.
        values
        ('words', array_to_string(records.name_words, ' ')),
        ('name_start_and_postal_code', left(records.joined_name, 4) || '|' || records.postal_code),
        ('name_start_and_town', left(records.joined_name, 6) || '|' || records.city),
        (
            'name_start_and_street',
            left(records.joined_name, 3) || '|' || records.street || '|' || records.house_number
        ),
        -- Two letters would pair half a town.
        (
            'initials_and_town',
            case when length(records.initials) >= 3 then left(records.initials, 5) end
            || '|' || records.city
        ),
        (
            'initials_and_town',
            case when length(records.joined_name) between 3 and 5 then records.joined_name end
            || '|' || records.city
        ),
        ('tax_id', records.tax_id),
        ('registration_id', records.registration_id),
        ('site', records.website_domain),
        ('site', records.email_domain)
    ) as keys (rule, block_key)
    union all
    select
        records.record,
        'word_and_postal_code',
        words.word || '|' || coalesce(records.postal_code, records.city),
        records.version
    from records
    cross join lateral unnest(records.name_words) as words (word)
    union all
    select
        records.record,
        'phone',
        phones.phone,
        records.version
    from records
    cross join lateral unnest(records.phones) as phones (phone)
),

usable as (
    select distinct
        record,
        rule,
        left(block_key, 200) as block_key,
        version
    from blocks
    where block_key <> ''
)

select * from usable
