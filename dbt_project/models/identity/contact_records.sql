{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'entity', 'source_key'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected('contacts') }}",
        post_hook=["{{ identity_note_gone('contacts') }}", '{{ identity_analyze() }}'],
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}

with

contacts as (
    select * from {{ ref('stg_contacts') }}
    where
        not is_deleted
        and {{ only_affected(['source_system', "'contacts'", 'source_key']) }}
),

folded as (
    select
        *,
        {{ function('normalise_person_name') }}(first_name) as normalised_first_name,
        {{ function('normalise_person_name') }}(last_name) as normalised_last_name,
        {{ function('normalise_number') }}(national_id) as bare_national_id,
        {{ function('normalise_email') }}(email) as compared_email
    from contacts
    {{ worked_out_once() }}
),

named as (
    select
        *,
        nullif(concat_ws(' ', normalised_first_name, normalised_last_name), '') as normalised_name,
        {{ function('registered_domain') }}(compared_email) as email_domain,
        coalesce(
            {{ function('generation') }}(last_name), {{ function('generation') }}(first_name)
        ) as generation
    from folded
    {{ worked_out_once() }}
),

features as (
    select
        {{ identity_record('records.source_system', "'contacts'", 'records.source_key') }}
            as record,
        records.source_system,
        'contacts' as entity,
        records.source_key,
        records.kind,
        records.is_deleted,
        {{ current_version() }} as version,
        null::text as merged_into,
        null::text as external_id,
        null::text as record_number,
        records.first_name,
        records.last_name,
        nullif(concat_ws(' ', records.first_name, records.last_name), '') as full_name,
        records.normalised_first_name,
        records.normalised_last_name,
        records.normalised_name,
        coalesce(
            nicknames.given_name, split_part(records.normalised_first_name, ' ', 1)
        ) as given_name,
        (
            select array_agg(distinct word order by word)
            from unnest(string_to_array(records.normalised_name, ' ')) as word
        ) as name_words,
        to_char(records.birth_date, 'YYYY-MM-DD') as birth_date,
        case
            when {{ function('is_plausible_number') }}(records.bare_national_id)
                then records.bare_national_id
        end as national_id,
        {{ identity_known(['records.compared_email']) }} as emails,
        split_part(records.compared_email, '@', 1) as email_local,
        records.email_domain,
        {{ identity_known([
            "coalesce(phone.standard, " ~ function('phone_digits') ~ "(records.phone))",
            "coalesce(mobile_phone.standard, "
            ~ function('phone_digits')
            ~ "(records.mobile_phone))",
        ]) }} as phones,
        {{ function('street_name') }}(records.street) as street,
        {{ function('house_number') }}(records.street) as house_number,
        {{ function('normalise_postal_code') }}(records.postal_code) as postal_code,
        {{ function('fold_words') }}(records.city) as city,
        {{ function('fold_words') }}(records.region) as region,
        records.country,
        {{ function('fold_words') }}(records.job_title) as job_title,
        {{ identity_known([
            identity_record('records.source_system', "'accounts'", 'records.account_id'),
            identity_record('records.source_system', "'customers'", 'records.customer_id'),
        ]) }} as customer_keys,
        -- Father and son may have everything in common but this.
        {{ identity_known(["'generation:' || records.generation"]) }} as conflict_keys
    from named as records
    left join {{ ref('nicknames') }} as nicknames
        on split_part(records.normalised_first_name, ' ', 1) = nicknames.nickname
    {{ identity_standard('phone', 'phone', 'records.country', 'btrim(records.phone)') }}
    {{ identity_standard(
        'mobile_phone', 'phone', 'records.country', 'btrim(records.mobile_phone)'
    ) }}
    {{ worked_out_once() }}
),

-- One number is written with its country and another without: their ends are compared.
with_phone_ends as (
    select
        *,
        {{ identity_known([
            "right(ltrim(phones[1], '+'), 8)",
            "right(ltrim(phones[2], '+'), 8)",
        ]) }} as phone_ends
    from features
)

select * from with_phone_ends
