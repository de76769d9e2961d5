{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['record'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_records('contact_records', 'contacts') }}",
        post_hook='{{ identity_analyze() }}',
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}

with

records as (
    select
        *,
        left(normalised_first_name, 1) as first_initial,
        left(normalised_first_name, 3) as first_start,
        left(normalised_last_name, 3) as last_start,
        left(birth_date, 4) as birth_year,
        left(birth_date, 7) as birth_month,
        substr(birth_date, 6) as birth_day
    from {{ ref('contact_records') }}
    where not is_deleted and {{ only_affected(['record']) }}
),

-- Names stand in the order of the alphabet where they may have been exchanged.
in_order as (
    select
        *,
        least(normalised_first_name, normalised_last_name)
        || '|' || greatest(normalised_first_name, normalised_last_name) as both_names,
        least(first_start, last_start) || '|' || greatest(first_start, last_start) as both_starts
    from records
),

blocks as (
    select
        records.record,
        keys.rule,
        keys.block_key,
        records.version
    from in_order as records
    inner join lateral (
        -- A place alone makes no pairs: it needs a part of the name or of the birth date.
        values
        ('national_id', records.national_id),
        ('email', records.emails[1]),
        ('email_name', case when length(records.email_local) >= 5 then records.email_local end),
        ('email_domain_and_birth_year', records.email_domain || '|' || records.birth_year),
        (
            'names',
            case
                when
                    records.normalised_first_name is not null
                    and records.normalised_last_name is not null
                    then records.both_names
            end
        ),
        (
            'name_starts_and_birth_year',
            case
                when records.first_start is not null and records.last_start is not null
                    then records.both_starts || '|' || records.birth_year
            end
        ),
        ('birth_date', records.birth_date),
        ('first_start_and_birth_month', left(records.first_start, 2) || '|' || records.birth_month),
        ('last_start_and_birth_month', left(records.last_start, 2) || '|' || records.birth_month),
        ('last_name_and_birth_year', records.normalised_last_name || '|' || records.birth_year),
        (
            'name_starts_and_birth_day',
            records.first_initial || '|' || records.last_start || '|' || records.birth_day
        ),
        ('town_and_birth_month', left(records.city, 4) || '|' || records.birth_month),
        ('postal_code_and_birth_year', records.postal_code || '|' || records.birth_year),
        ('first_start_and_postal_code', records.first_start || '|' || records.postal_code),
        ('last_start_and_postal_code', records.last_start || '|' || records.postal_code),
        (
            'name_starts_and_postal_area',
            left(records.normalised_last_name, 5) || '|' || left(records.first_start, 2)
            || '|' || left(records.postal_code, 2)
        ),
        ('first_name_and_town', records.normalised_first_name || '|' || records.city),
        (
            'name_starts_and_town',
            left(records.normalised_last_name, 5) || '|' || coalesce(records.first_initial, '')
            || '|' || left(records.city, 6)
        ),
        ('house', records.house_number || '|' || records.street)
    ) as keys (rule, block_key) on true
    union all
    select
        records.record,
        keys.rule,
        keys.block_key,
        records.version
    from records
    cross join lateral unnest(records.phone_ends || records.customer_keys) as held (shared)
    inner join lateral (
        -- Colleagues are many, so that an initial at least is asked for.
        values
        ('first_initial_and_place_of_work', records.first_initial || '|' || held.shared),
        ('last_start_and_place_of_work', records.last_start || '|' || held.shared)
    ) as keys (rule, block_key) on true
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
