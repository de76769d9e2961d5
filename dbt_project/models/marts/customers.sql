{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['customer_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        pre_hook="{{ affected_customers() }}",
    )
}}

with

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current and {{ only_affected(['customer_id']) }}
),

account_records as (
    select
        crosswalk.customer_id,
        'crm' as side,
        accounts.source_system,
        accounts.source_key,
        accounts.merged_into_id is not null as is_merged,
        accounts.name,
        accounts.type,
        accounts.industry,
        accounts.phone,
        accounts.email,
        accounts.website,
        accounts.owner_id,
        accounts.tax_id,
        accounts.registration_id,
        null::text as payment_terms,
        null::numeric(20, 4) as credit_limit,
        null::text as credit_currency,
        null::boolean as is_blocked,
        accounts.created_at,
        parents.customer_id as parent_customer_id
    from crosswalk
    inner join {{ ref('stg_accounts') }} as accounts
        on
            crosswalk.source_system = accounts.source_system
            and crosswalk.source_key = accounts.source_key
    left join {{ source('identity', 'customer_crosswalk') }} as parents
        on
            accounts.source_system = parents.source_system
            and accounts.parent_account_id = parents.source_key
            and parents.entity = 'accounts'
            and parents.is_current
    where crosswalk.entity = 'accounts'
),

customer_records as (
    select
        crosswalk.customer_id,
        'erp' as side,
        customers.source_system,
        customers.source_key,
        false as is_merged,
        customers.name,
        null::text as type,
        null::text as industry,
        customers.phone,
        customers.email,
        customers.website,
        null::text as owner_id,
        customers.tax_id,
        customers.registration_id,
        customers.payment_terms,
        customers.credit_limit,
        case when customers.credit_limit is not null then customers.currency end as credit_currency,
        customers.is_blocked,
        customers.created_at,
        parents.customer_id as parent_customer_id
    from crosswalk
    inner join {{ ref('stg_customers') }} as customers
        on
            crosswalk.source_system = customers.source_system
            and crosswalk.source_key = customers.source_key
    left join {{ source('identity', 'customer_crosswalk') }} as parents
        on
            customers.source_system = parents.source_system
            and customers.parent_customer_id = parents.source_key
            and parents.entity = 'customers'
            and parents.is_current
    where crosswalk.entity = 'customers'
),

records as (
    select * from account_records
    union all
    select * from customer_records
),

ranked_records as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by is_merged, created_at nulls last, source_system, source_key
        ) as age
    from records
),

golden_records as (
    select
        customer_id,
        {{ first_known('name', 'crm') }} as name,
        {{ first_known('type', 'crm') }} as type,
        {{ first_known('industry', 'crm') }} as industry,
        {{ first_known('phone', 'crm') }} as phone,
        {{ first_known('email', 'crm') }} as email,
        {{ first_known('website', 'crm') }} as website,
        {{ first_known('owner_id', 'crm') }} as owner_id,
        {{ first_known('tax_id', 'erp') }} as tax_id,
        {{ first_known('registration_id', 'erp') }} as registration_id,
        {{ first_known('payment_terms', 'erp') }} as payment_terms,
        {{ first_known('credit_limit', 'erp') }} as credit_limit,
        {{ first_known('credit_currency', 'erp') }} as credit_currency,
        coalesce(bool_or(is_blocked), false) as is_blocked,
        (
            array_agg(parent_customer_id order by side, age)
            filter (where parent_customer_id <> customer_id)
        )[1] as parent_customer_id,
        count(*) filter (where side = 'crm') as crm_record_count,
        count(*) filter (where side = 'erp') as erp_record_count
    from ranked_records
    group by customer_id
),

billing_sites as (
    select distinct on (customer_id) *
    from {{ ref('customer_addresses') }}
    where is_billing and {{ only_affected(['customer_id']) }}
    order by
        customer_id asc,
        source_entity = 'addresses' desc,
        is_default_billing desc,
        source_system asc,
        source_key asc,
        site_key asc
),

shipping_sites as (
    select distinct on (customer_id) *
    from {{ ref('customer_addresses') }}
    where is_shipping and {{ only_affected(['customer_id']) }}
    order by
        customer_id asc,
        source_entity = 'addresses' desc,
        is_default_shipping desc,
        source_system asc,
        source_key asc,
        site_key asc
),

-- Sums leave out what could not be converted; how much that is stands beside them.
order_totals as (
    select
        customer_id,
        count(*) as order_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        sum(net_amount_reporting) as lifetime_net_amount_reporting,
        count(*) filter (where net_amount_reporting is null) as unconverted_order_count
    from {{ ref('orders') }}
    where
        status is distinct from 'cancelled'
        and customer_id is not null
        and {{ only_affected(['customer_id']) }}
    group by customer_id
),

invoice_totals as (
    select
        customer_id,
        sum(open_amount_reporting) as open_amount_reporting,
        count(*) filter (
            where open_amount_reporting is null and open_amount is not null
        ) as unconverted_invoice_count
    from {{ ref('invoices') }}
    where customer_id is not null and {{ only_affected(['customer_id']) }}
    group by customer_id
),

unified as (
    select
        golden_records.customer_id,
        golden_records.name,
        golden_records.type,
        golden_records.industry,
        golden_records.tax_id,
        golden_records.registration_id,
        golden_records.email,
        golden_records.phone,
        golden_records.website,
        golden_records.owner_id,
        {% for role in ['billing', 'shipping'] -%}
            nullif(concat_ws(', ', {{ role }}_sites.street, {{ role }}_sites.street2), '')
                as {{ role }}_street,
            {{ role }}_sites.city as {{ role }}_city,
            {{ role }}_sites.region as {{ role }}_region,
            {{ role }}_sites.postal_code as {{ role }}_postal_code,
            {{ role }}_sites.country as {{ role }}_country,
        {% endfor -%}
        golden_records.payment_terms,
        golden_records.credit_limit,
        golden_records.credit_currency,
        golden_records.is_blocked,
        golden_records.parent_customer_id,
        golden_records.crm_record_count::integer as crm_record_count,
        golden_records.erp_record_count::integer as erp_record_count,
        coalesce(order_totals.order_count, 0)::integer as order_count,
        order_totals.first_order_date,
        order_totals.last_order_date,
        {{ reporting_currency() }} as reporting_currency,
        case
            when order_totals.customer_id is null then 0
            else order_totals.lifetime_net_amount_reporting
        end as lifetime_net_amount_reporting,
        case
            when coalesce(invoice_totals.unconverted_invoice_count, 0) = 0
                then coalesce(invoice_totals.open_amount_reporting, 0)
            else invoice_totals.open_amount_reporting
        end as open_amount_reporting,
        coalesce(order_totals.unconverted_order_count, 0)::integer as unconverted_order_count,
        coalesce(invoice_totals.unconverted_invoice_count, 0)::integer as unconverted_invoice_count
    from golden_records
    left join billing_sites on golden_records.customer_id = billing_sites.customer_id
    left join shipping_sites on golden_records.customer_id = shipping_sites.customer_id
    left join order_totals on golden_records.customer_id = order_totals.customer_id
    left join invoice_totals on golden_records.customer_id = invoice_totals.customer_id
)

select * from unified
