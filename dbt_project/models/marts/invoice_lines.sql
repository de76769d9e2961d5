{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'invoice_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'invoice_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_invoice_lines', 'touches': [{'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_document_lines('invoice') }}",
    )
}}

with

invoices as (
    select * from {{ ref('invoices') }}
    where {{ only_affected(['source_system', 'invoice_id']) }}
),

lines as (
    select * from {{ ref('stg_invoice_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'invoice_id']) }}
),

unified as (
    select
        lines.source_system,
        lines.invoice_line_id,
        lines.invoice_id,
        invoices.invoice_number,
        invoices.type,
        lines.line_number,
        invoices.customer_id,
        coalesce(order_lines.order_id, invoices.order_id) as order_id,
        lines.order_line_id,
        invoices.invoice_date,
        lines.product_number,
        lines.description,
        lines.quantity,
        lines.unit,
        lines.unit_price,
        lines.discount_pct,
        invoices.currency,
        lines.net_amount,
        lines.tax_amount,
        invoices.reporting_currency,
        invoices.fx_rate,
        {{ in_reporting_currency('lines.net_amount', 'invoices.fx_rate') }}
            as net_amount_reporting,
        {{ in_reporting_currency('lines.tax_amount', 'invoices.fx_rate') }}
            as tax_amount_reporting,
        invoices.company
    from lines
    inner join invoices
        on
            lines.source_system = invoices.source_system
            and lines.invoice_id = invoices.invoice_id
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
)

select * from unified
