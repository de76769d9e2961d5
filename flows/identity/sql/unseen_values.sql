-- Values of rows changed since the last look that nobody has read yet, once each.
with

changed_customers as (
    select
        source_system,
        source_key
    from staging.customers
    where version > %(since)s
    union
    select
        source_system,
        customer_id
    from staging.addresses
    where version > %(since)s
),

addressed_customers as (
    select distinct
        customers.tax_id,
        customers.registration_id,
        customers.phone,
        addresses.country
    from changed_customers as changed
    inner join staging.customers as customers
        on
            changed.source_system = customers.source_system
            and changed.source_key = customers.source_key
    left join staging.addresses as addresses
        on
            customers.source_system = addresses.source_system
            and customers.source_key = addresses.customer_id
            and not addresses.is_deleted
),

accounts as (
    select
        tax_id,
        registration_id,
        phone,
        coalesce(billing_country, shipping_country) as country
    from staging.accounts
    where version > %(since)s
),

written as (
    select 'tax_id' as kind, country, tax_id as value from accounts
    union all
    select 'tax_id', country, tax_id from addressed_customers
    union all
    select 'registration_id', country, registration_id from accounts
    union all
    select 'registration_id', country, registration_id from addressed_customers
    union all
    select 'phone', country, phone from accounts
    union all
    select 'phone', country, phone from addressed_customers
    union all
    select 'phone', country, phone from staging.contacts where version > %(since)s
    union all
    select 'phone', country, mobile_phone from staging.contacts where version > %(since)s
),

written_once as (
    select distinct
        kind,
        coalesce(country, '') as country,
        case
            when kind = 'phone' then btrim(value)
            else identity.normalise_number(value)
        end as value
    from written
    where value is not null
)

select
    kind,
    country,
    value
from written_once
where
    value <> ''
    -- No number is longer, and an index entry has its limits.
    and length(value) <= 100
    and not exists (
        select from identity.standard_values as known
        where
            known.kind = written_once.kind
            and known.country = written_once.country
            and known.value = written_once.value
    )
order by
    kind,
    country,
    value
