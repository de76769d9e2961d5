{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'entity', 'source_key'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_customers() }}",
        post_hook=["{{ identity_note_gone('customers') }}", '{{ identity_analyze() }}'],
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}

{%- set read_address = identity_address('written.street', 'written.postal_code', 'written.city') %}

with

accounts as (
    select * from {{ ref('stg_accounts') }}
    where {{ only_affected(['source_system', "'accounts'", 'source_key']) }}
),

customers as (
    select * from {{ ref('stg_customers') }}
    where {{ only_affected(['source_system', "'customers'", 'source_key']) }}
),

addresses as not materialized (
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

-- As written: what an address reads like is worked out below, by all workers and once each.
sites as (
    select
        source_system,
        customer_id,
        array_agg(source_key order by source_key) as address_keys,
        array_agg(street order by source_key) as streets,
        array_agg(postal_code order by source_key) as postal_codes,
        array_agg(city order by source_key) as cities
    from addresses
    group by source_system, customer_id
),

account_records as (
    select
        accounts.source_system,
        'accounts' as entity,
        accounts.source_key,
        accounts.kind,
        accounts.is_deleted,
        accounts.merged_into_id as merged_into,
        accounts.erp_customer_id as external_id,
        accounts.account_number as record_number,
        accounts.parent_account_id as parent_key,
        accounts.name,
        accounts.tax_id,
        accounts.registration_id,
        accounts.email,
        accounts.phone,
        accounts.website,
        coalesce(accounts.billing_street, accounts.shipping_street) as street,
        coalesce(accounts.billing_postal_code, accounts.shipping_postal_code) as postal_code,
        coalesce(accounts.billing_city, accounts.shipping_city) as city,
        coalesce(accounts.billing_region, accounts.shipping_region) as region,
        coalesce(accounts.billing_country, accounts.shipping_country) as country,
        array[accounts.billing_street, accounts.shipping_street] as streets,
        array[accounts.billing_postal_code, accounts.shipping_postal_code] as postal_codes,
        array[accounts.billing_city, accounts.shipping_city] as cities,
        null::text[] as address_keys
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
        customers.is_deleted,
        null::text as merged_into,
        customers.crm_account_id as external_id,
        customers.customer_number as record_number,
        customers.parent_customer_id as parent_key,
        customers.name,
        customers.tax_id,
        customers.registration_id,
        customers.email,
        customers.phone,
        customers.website,
        main_addresses.street,
        main_addresses.postal_code,
        main_addresses.city,
        main_addresses.region,
        main_addresses.country,
        sites.streets,
        sites.postal_codes,
        sites.cities,
        sites.address_keys
    from customers
    left join main_addresses
        on
            customers.source_system = main_addresses.source_system
            and customers.source_key = main_addresses.customer_id
    left join sites
        on
            customers.source_system = sites.source_system
            and customers.source_key = sites.customer_id
    where not customers.is_deleted
),

records as (
    select * from account_records
    union all
    select * from customer_records
),

folded as (
    select
        *,
        {{ function('fold_company_name') }}(name) as folded_name,
        {{ function('normalise_number') }}(tax_id) as bare_tax_id,
        {{ function('normalise_number') }}(registration_id) as bare_registration_id,
        {{ function('normalise_email') }}(email) as compared_email,
        {{ function('registered_domain') }}(website) as website_domain,
        {{ function('street_name') }}(street) as compared_street,
        {{ function('house_number') }}(street) as house_number,
        {{ function('normalise_postal_code') }}(postal_code) as compared_postal_code,
        {{ function('fold_words') }}(city) as compared_city
    from records
    {{ worked_out_once() }}
),

worded as (
    select
        folded.*,
        {{ function('strip_legal_form') }}(folded.folded_name) as normalised_name,
        {{ function('legal_form') }}(folded.folded_name) as legal_form,
        {{ function('registered_domain') }}(folded.compared_email) as email_domain,
        {{ function('is_plausible_number') }}(folded.bare_tax_id) as has_tax_id,
        {{ function('is_plausible_number') }}(folded.bare_registration_id) as has_registration_id,
        -- Most have one address, which is read already.
        array(
            select distinct sites.site
            from (
                select
                    case
                        when
                            written.street = folded.street
                            and coalesce(written.postal_code, '') = coalesce(folded.postal_code, '')
                            and coalesce(written.city, '') = coalesce(folded.city, '')
                            then
                                folded.compared_street
                                || coalesce(' ' || folded.house_number, '')
                                || '|'
                                || coalesce(folded.compared_postal_code, folded.compared_city, '')
                        else {{ read_address }}
                    end as site
                from
                    unnest(folded.streets, folded.postal_codes, folded.cities)
                        as written (street, postal_code, city)
                where written.street is not null
                {{ worked_out_once() }}
            ) as sites
            where sites.site is not null
            order by sites.site
        ) as addresses
    from folded
    {{ worked_out_once() }}
),

features as (
    select
        {{ identity_record('records.source_system', 'records.entity', 'records.source_key') }}
            as record,
        records.source_system,
        records.entity,
        records.source_key,
        records.kind,
        records.is_deleted,
        {{ current_version() }} as version,
        nullif(btrim(records.merged_into), '') as merged_into,
        nullif(btrim(records.external_id), '') as external_id,
        nullif(btrim(records.record_number), '') as record_number,
        records.name,
        records.normalised_name,
        replace(records.normalised_name, ' ', '') as joined_name,
        {{ function('name_words') }}(records.normalised_name) as name_words,
        records.legal_form,
        split_part(records.normalised_name, ' ', 1) as first_word,
        regexp_replace(
            replace(records.normalised_name, ' and ', ' '), '(\S)\S*\s*', '\1', 'g'
        ) as initials,
        case when records.has_tax_id then records.bare_tax_id end as tax_id,
        case
            when records.has_tax_id and tax.is_valid is not false
                then coalesce(tax.standard, records.bare_tax_id)
        end as tax_key,
        coalesce(left(tax.standard_country, 2), records.country) as tax_country,
        case when records.has_registration_id then records.bare_registration_id end
            as registration_id,
        case
            when records.has_registration_id and registration.is_valid is not false
                then coalesce(registration.standard, records.bare_registration_id)
        end as registration_key,
        {{ identity_known([
            "case when tax.is_valid then tax.standard_country || ':' || tax.standard end",
            "case when registration.is_valid"
            ~ " then registration.standard_country || ':' || registration.standard end",
        ]) }} as conflict_keys,
        {{ identity_known([
            "coalesce(phone.standard, " ~ function('phone_digits') ~ "(records.phone))",
        ]) }} as phones,
        {{ identity_known(['records.compared_email']) }} as emails,
        case when free_mail.domain is null then records.email_domain end as email_domain,
        records.website_domain,
        records.compared_street as street,
        records.house_number,
        records.compared_postal_code as postal_code,
        records.compared_city as city,
        {{ function('fold_words') }}(records.region) as region,
        records.country,
        nullif(records.addresses, '{}') as addresses,
        nullif(btrim(records.parent_key), '') as parent_key,
        records.address_keys
    from worded as records
    {{ identity_standard('tax', 'tax_id', 'records.country', 'records.bare_tax_id') }}
    {{ identity_standard(
        'registration', 'registration_id', 'records.country', 'records.bare_registration_id'
    ) }}
    {{ identity_standard('phone', 'phone', 'records.country', 'btrim(records.phone)') }}
    left join {{ ref('free_mail_domains') }} as free_mail
        on records.email_domain = free_mail.domain
)

select * from features
