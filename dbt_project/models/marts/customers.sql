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

{%- set rules = ownership_rules() %}

with

records as (
    {{ customer_source_records() }}
),

golden_records as (
    select
        customer_id,
        {% for field in [
            'name', 'type', 'industry', 'phone', 'email', 'website', 'owner_id',
            'parent_customer_id', 'tax_id', 'registration_id', 'payment_terms', 'credit_limit',
        ] -%}
            {{ golden_value(rules, 'customers.' ~ field, field) }} as {{ field }},
        {% endfor -%}
        {{ golden_value(rules, 'customers.credit_limit', 'credit_currency', 'credit_limit') }}
            as credit_currency,
        coalesce(bool_or(is_blocked), false) as is_blocked,
        count(*) filter (where side = 'crm') as crm_record_count,
        count(*) filter (where side = 'erp') as erp_record_count
    from records
    group by customer_id
),

billing_sites as (
    select distinct on (customer_id) *
    from {{ ref('customer_addresses') }}
    where is_billing and {{ only_affected(['customer_id']) }}
    order by
        customer_id asc,
        {{ site_order(rules, 'billing') }}
),

shipping_sites as (
    select distinct on (customer_id) *
    from {{ ref('customer_addresses') }}
    where is_shipping and {{ only_affected(['customer_id']) }}
    order by
        customer_id asc,
        {{ site_order(rules, 'shipping') }}
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
