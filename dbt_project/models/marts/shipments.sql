{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'shipment_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_shipments', 'touches': [
            {'kind': 'shipment', 'system': 'source_system', 'key': 'shipment_id'},
            {'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'},
        ]},
        pre_hook="{{ affected_documents('shipment') }}",
    )
}}

with

headers as (
    select * from {{ ref('stg_shipments') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

lines as (
    select * from {{ ref('stg_shipment_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'shipment_id']) }}
),

-- What was shipped is worth its share of the order line.
valued_lines as (
    select
        lines.*,
        order_lines.order_id,
        lines.quantity / nullif(order_lines.quantity, 0) * order_lines.net_amount as net_amount,
        lines.quantity / nullif(order_lines.quantity, 0) * order_lines.net_amount_reporting
            as net_amount_reporting,
        order_lines.currency
    from lines
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
),

line_totals as (
    select
        source_system,
        shipment_id,
        count(*) as line_count,
        sum(quantity) as quantity,
        case
            when count(net_amount) = count(*) and min(currency) = max(currency)
                then round(sum(net_amount), 4)
        end as net_amount,
        case
            when count(net_amount_reporting) = count(*) then round(sum(net_amount_reporting), 4)
        end as net_amount_reporting,
        case when min(currency) = max(currency) then min(currency) end as currency,
        case when min(order_id) = max(order_id) then min(order_id) end as order_id
    from valued_lines
    group by source_system, shipment_id
),

unified as (
    select
        headers.source_system,
        headers.shipment_id,
        headers.shipment_number,
        coalesce(crosswalk.customer_id, orders.customer_id) as customer_id,
        headers.customer_id as erp_customer_id,
        coalesce(headers.order_id, line_totals.order_id) as order_id,
        orders.order_number,
        orders.order_date,
        headers.shipped_at,
        headers.delivered_at,
        headers.carrier,
        headers.tracking_number,
        headers.ship_to_address_id,
        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(line_totals.quantity, 0) as quantity,
        coalesce(line_totals.currency, orders.currency) as currency,
        line_totals.net_amount,
        {{ reporting_currency() }} as reporting_currency,
        line_totals.net_amount_reporting
    from headers
    left join line_totals
        on
            headers.source_system = line_totals.source_system
            and headers.source_key = line_totals.shipment_id
    left join {{ ref('orders') }} as orders
        on
            headers.source_system = orders.source_system
            and coalesce(headers.order_id, line_totals.order_id) = orders.order_id
    left join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            headers.source_system = crosswalk.source_system
            and headers.customer_id = crosswalk.source_key
            and crosswalk.entity = 'customers'
            and crosswalk.is_current
)

select * from unified
