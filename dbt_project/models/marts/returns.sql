{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'return_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_returns', 'touches': [
            {'kind': 'return', 'system': 'source_system', 'key': 'return_id'},
            {'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'},
        ]},
        pre_hook="{{ affected_documents('return', has_amounts_on='return_date') }}",
    )
}}

with

headers as (
    select * from {{ ref('stg_returns') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

lines as (
    select * from {{ ref('stg_return_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'return_id']) }}
),

-- A document without an order of its own belongs to its lines' order if they have only one.
line_totals as (
    select
        lines.source_system,
        lines.return_id,
        count(*) as line_count,
        sum(lines.quantity) as quantity,
        case
            when count(lines.net_amount) = count(*) then sum(lines.net_amount)
        end as net_amount,
        case
            when
                min(order_lines.order_id) = max(order_lines.order_id)
                then min(order_lines.order_id)
        end as order_id
    from lines
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
    group by lines.source_system, lines.return_id
),

known_returns as (
    select
        headers.*,
        coalesce(headers.order_id, line_totals.order_id) as known_order_id,
        coalesce(line_totals.line_count, 0) as line_count,
        line_totals.quantity,
        line_totals.net_amount,
        coalesce(crosswalk.customer_id, orders.customer_id) as unified_customer_id,
        orders.order_number,
        orders.currency as order_currency
    from headers
    left join line_totals
        on
            headers.source_system = line_totals.source_system
            and headers.source_key = line_totals.return_id
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
),

-- A return names no currency: it is the order's.
priced_returns as (
    select
        *,
        order_currency as currency
    from known_returns
),

conversions as (
    select * from {{ conversions('priced_returns', 'return_date') }}
),

amounts as (
    select
        priced_returns.*,
        {{ fx_rate('priced_returns') }} as fx_rate
    from priced_returns
    left join conversions
        on
            priced_returns.source_system = conversions.source_system
            and priced_returns.currency = conversions.currency
            and priced_returns.return_date = conversions.rate_date
),

unified as (
    select
        source_system,
        return_id,
        return_number,
        unified_customer_id as customer_id,
        customer_id as erp_customer_id,
        known_order_id as order_id,
        order_number,
        return_date,
        reason,
        status,
        line_count,
        coalesce(quantity, 0) as quantity,
        currency,
        net_amount,
        {{ reporting_currency() }} as reporting_currency,
        fx_rate,
        {{ in_reporting_currency('net_amount', 'fx_rate') }} as net_amount_reporting
    from amounts
)

select * from unified
