{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'quote_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}],
        meta={'rows_of': 'stg_quotes', 'touches': [{'kind': 'quote_chain', 'system': 'source_system', 'key': 'coalesce(quote_number, quote_id)'}]},
        pre_hook="{{ affected_crm_documents('quote', 'quotes', 'quote_date') }}",
    )
}}

with

quotes as (
    select * from {{ ref('stg_quotes') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

order_links as (
    select
        orders.crm_source_system,
        orders.quote_id,
        count(orders.order_id) as order_count,
        sum(orders.net_amount_reporting) as ordered_net_amount_reporting,
        (array_agg(orders.source_system order by {{ order_of_orders() }}))[1]
            as order_source_system,
        (array_agg(orders.order_id order by {{ order_of_orders() }}))[1] as order_id
    from quotes
    inner join {{ ref('orders') }} as orders
        on
            quotes.source_system = orders.crm_source_system
            and quotes.source_key = orders.quote_id
    group by orders.crm_source_system, orders.quote_id
),

conversions as (
    select * from {{ conversions('quotes', 'quote_date') }}
),

converted as (
    select
        quotes.*,
        {{ fx_rate('quotes') }} as fx_rate
    from quotes
    left join conversions
        on
            quotes.source_system = conversions.source_system
            and quotes.currency = conversions.currency
            and quotes.quote_date = conversions.rate_date
),

unified as (
    select
        converted.source_system,
        converted.quote_id,
        converted.quote_number,
        converted.revision,
        converted.opportunity_id,
        crosswalk.customer_id,
        converted.account_id,
        converted.status,
        converted.quote_date,
        converted.valid_until,
        converted.discount_pct,
        converted.approved_by,
        converted.approved_at,
        converted.currency,
        converted.net_amount,
        {{ reporting_currency() }} as reporting_currency,
        converted.fx_rate,
        {{ in_reporting_currency('converted.net_amount', 'converted.fx_rate') }}
            as net_amount_reporting,
        coalesce(order_links.order_count, 0) as order_count,
        order_links.order_source_system,
        order_links.order_id,
        order_links.ordered_net_amount_reporting,
        converted.created_at,
        converted.modified_at
    from converted
    left join order_links
        on
            converted.source_system = order_links.crm_source_system
            and converted.source_key = order_links.quote_id
    left join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            converted.source_system = crosswalk.source_system
            and converted.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
            and crosswalk.is_current
)

select * from unified
