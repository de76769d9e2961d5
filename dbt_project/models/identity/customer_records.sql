{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'entity', 'source_key'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_records() }}",
        post_hook='analyze {{ this }}',
    )
}}

with

accounts as (
    select * from {{ ref('stg_accounts') }}
    where {{ only_affected(['source_system', "'accounts'", 'source_key']) }}
),

customers as (
    select * from {{ ref('stg_customers') }}
    where {{ only_affected(['source_system', "'customers'", 'source_key']) }}
),

addresses as (
    select * from {{ ref('stg_addresses') }}
    where
        not is_deleted
        and {{ only_affected(['source_system', "'customers'", 'customer_id']) }}
),

main_addresses as (
    select distinct on (source_system, customer_id) *
    from addresses
    order by
        source_system asc,
        customer_id asc,
        role in ('billing', 'both') desc nulls last,
        is_default desc nulls last,
        address_id asc
),

account_records as (
    select
        accounts.source_system,
        'accounts' as entity,
        accounts.source_key,
        accounts.kind,
        accounts.name,
        accounts.tax_id,
        accounts.registration_id,
        coalesce(accounts.billing_postal_code, accounts.shipping_postal_code) as postal_code,
        coalesce(accounts.billing_city, accounts.shipping_city) as city,
        coalesce(accounts.billing_country, accounts.shipping_country) as country,
        accounts.email,
        accounts.phone,
        accounts.website,
        accounts.account_number as record_number,
        accounts.erp_customer_id as external_id,
        accounts.merged_into_id as merged_into,
        accounts.is_deleted,
        null::text as address_key
    from accounts
    left join {{ ref('stg_accounts') }} as survivors
        on
            accounts.source_system = survivors.source_system
            and accounts.merged_into_id = survivors.source_key
            and not survivors.is_deleted
    where not accounts.is_deleted or survivors.source_key is not null
),

customer_records as (
    select
        customers.source_system,
        'customers' as entity,
        customers.source_key,
        customers.kind,
        customers.name,
        customers.tax_id,
        customers.registration_id,
        main_addresses.postal_code,
        main_addresses.city,
        main_addresses.country,
        customers.email,
        customers.phone,
        customers.website,
        customers.customer_number as record_number,
        customers.crm_account_id as external_id,
        null::text as merged_into,
        customers.is_deleted,
        main_addresses.source_key as address_key
    from customers
    left join main_addresses
        on
            customers.source_system = main_addresses.source_system
            and customers.source_key = main_addresses.customer_id
    where not customers.is_deleted
),

records as (
    select * from account_records
    union all
    select * from customer_records
),

numbered as (
    select
        *,
        {{ identity_normalise_number('tax_id') }} as bare_tax_id,
        {{ identity_normalise_number('registration_id') }} as bare_registration_id
    from records
),

normalised as (
    select
        source_system,
        entity,
        source_key,
        kind,
        name,
        {{ identity_normalise_name('name') }} as normalised_name,
        case when {{ identity_is_valid_number('bare_tax_id') }} then bare_tax_id end as tax_id,
        case
            when {{ identity_is_valid_number('bare_registration_id') }} then bare_registration_id
        end as registration_id,
        {{ identity_normalise_postal_code('postal_code') }} as postal_code,
        city,
        country,
        lower(btrim(email)) as email,
        nullif(regexp_replace(phone, '[^0-9+]', '', 'g'), '') as phone,
        website,
        nullif(btrim(record_number), '') as record_number,
        nullif(btrim(external_id), '') as external_id,
        nullif(btrim(merged_into), '') as merged_into,
        is_deleted,
        address_key,
        {{ current_version() }} as version
    from numbered
)

select * from normalised
