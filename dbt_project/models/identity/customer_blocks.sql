{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['record'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_records('customer_records', 'customers') }}",
        post_hook='{{ identity_analyze() }}',
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}

with

records as (
    select
        *,
        -- Two letters would pair half a town.
        case when length(initials) >= 3 then left(initials, 5) end as short_initials
    from {{ ref('customer_records') }}
    where not is_deleted and {{ only_affected(['record']) }}
),

-- One pass over the records, which several workers can share.
blocks as (
    select
        records.record,
        keys.rule,
        left(keys.block_key, 200) as block_key,
        records.version
    from records
    inner join
        lateral (
            -- An address alone makes no pairs: what is not alike in name needs more in common.
            values
            ('words', array_to_string(records.name_words, ' ')),
            (
                'name_start_and_postal_code',
                left(records.joined_name, 4) || '|' || records.postal_code
            ),
            ('name_start_and_town', left(records.joined_name, 6) || '|' || records.city),
            (
                'name_start_and_street',
                left(records.joined_name, 3) || '|' || records.street || '|' || records.house_number
            ),
            ('initials_and_town', records.short_initials || '|' || records.city),
            (
                'initials_and_town',
                nullif(
                    case
                        when length(records.joined_name) between 3 and 5 then records.joined_name
                    end,
                    records.short_initials
                )
                || '|' || records.city
            ),
            ('tax_id', records.tax_id),
            ('registration_id', records.registration_id),
            ('site', records.website_domain),
            ('site', nullif(records.email_domain, records.website_domain))
            union all
            select
                'word_and_postal_code' as rule,
                words.word || '|' || coalesce(records.postal_code, records.city) as block_key
            from unnest(records.name_words) as words (word)
            union all
            select distinct
                'phone' as rule,
                phones.phone as block_key
            from unnest(records.phones) as phones (phone)
        ) as keys (rule, block_key)
        on keys.block_key <> ''
)

select * from blocks
