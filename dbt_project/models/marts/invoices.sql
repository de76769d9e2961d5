{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'invoice_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_invoices', 'touches': [
            {'kind': 'invoice', 'system': 'source_system', 'key': 'invoice_id'},
            {'kind': 'customer', 'key': 'customer_id'},
            {'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'},
            {'kind': 'corrected_invoice', 'system': 'source_system', 'key': 'corrects_invoice_id'},
        ]},
        pre_hook="{{ affected_documents('invoice', has_amounts_on='invoice_date') }}",
    )
}}

with

headers as (
    select * from {{ ref('stg_invoices') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

lines as (
    select * from {{ ref('stg_invoice_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'invoice_id']) }}
),

-- A document without an order of its own belongs to its lines' order if they have only one.
line_totals as (
    select
        lines.source_system,
        lines.invoice_id,
        count(*) as line_count,
        case
            when count(lines.net_amount) = count(*) then sum(lines.net_amount)
        end as net_amount,
        case
            when count(lines.tax_amount) = count(*) then sum(lines.tax_amount)
        end as tax_amount,
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
    group by lines.source_system, lines.invoice_id
),

known_invoices as (
    select
        headers.*,
        coalesce(headers.order_id, line_totals.order_id) as known_order_id,
        coalesce(line_totals.line_count, 0) as line_count,
        line_totals.net_amount as lines_net_amount,
        coalesce(headers.net_amount, line_totals.net_amount) as known_net_amount,
        coalesce(headers.tax_amount, line_totals.tax_amount) as known_tax_amount,
        coalesce(crosswalk.customer_id, orders.customer_id) as unified_customer_id,
        orders.order_number,
        orders.currency as order_currency
    from headers
    left join line_totals
        on
            headers.source_system = line_totals.source_system
            and headers.source_key = line_totals.invoice_id
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

conversions as (
    select * from {{ conversions('known_invoices', 'invoice_date') }}
),

amounts as (
    select
        known_invoices.*,
        coalesce(
            known_invoices.gross_amount,
            known_invoices.known_net_amount + known_invoices.known_tax_amount
        ) as known_gross_amount,
        {{ fx_rate('known_invoices') }} as fx_rate
    from known_invoices
    left join conversions
        on
            known_invoices.source_system = conversions.source_system
            and known_invoices.currency = conversions.currency
            and known_invoices.invoice_date = conversions.rate_date
),

unified as (
    select
        source_system,
        invoice_id,
        invoice_number,
        coalesce(type, 'invoice') as type,
        reason,
        corrects_invoice_id,
        unified_customer_id as customer_id,
        customer_id as erp_customer_id,
        known_order_id as order_id,
        order_number,
        invoice_date,
        due_date,
        status,
        currency,
        known_net_amount as net_amount,
        known_tax_amount as tax_amount,
        known_gross_amount as gross_amount,
        open_amount,
        lines_net_amount,
        line_count,
        {{ reporting_currency() }} as reporting_currency,
        fx_rate,
        {{ in_reporting_currency('known_net_amount', 'fx_rate') }} as net_amount_reporting,
        {{ in_reporting_currency('known_tax_amount', 'fx_rate') }} as tax_amount_reporting,
        {{ in_reporting_currency('known_gross_amount', 'fx_rate') }} as gross_amount_reporting,
        {{ in_reporting_currency('open_amount', 'fx_rate') }} as open_amount_reporting,
        -- Depends on today, so the published view computes it.
        null::integer as days_overdue,
        company,
        created_at,
        modified_at
    from amounts
)

select * from unified
