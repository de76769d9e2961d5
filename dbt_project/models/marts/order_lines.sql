{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'order_id']}, {'columns': ['product_number']}],
        meta={'touches': [{'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_order_lines() }}",
    )
}}

with

{{ unit_rules() }},

orders as (
    select * from {{ ref('orders') }}
    where {{ only_affected(['source_system', 'order_id']) }}
),

order_lines as (
    select
        lines.*,
        {{ base_unit('lines') }} as base_unit,
        {{ unit_factor() }} as unit_factor
    from {{ ref('stg_order_lines') }} as lines
    {{ join_unit_rules('lines') }}
    where not lines.is_deleted and {{ only_affected(['source_system', 'order_id']) }}
),

-- What follows an order line is counted in the line's own unit.
shipped as (
    select
        shipment_lines.source_system,
        shipment_lines.order_line_id,
        {{ sum_in_unit_of_order('shipment_lines') }} as quantity
    from order_lines
    inner join {{ ref('stg_shipment_lines') }} as shipment_lines
        on
            order_lines.source_system = shipment_lines.source_system
            and order_lines.source_key = shipment_lines.order_line_id
    inner join {{ ref('stg_shipments') }} as shipments
        on
            shipment_lines.source_system = shipments.source_system
            and shipment_lines.shipment_id = shipments.source_key
    {{ join_unit_rules('shipment_lines') }}
    where not shipment_lines.is_deleted and not shipments.is_deleted
    group by shipment_lines.source_system, shipment_lines.order_line_id
),

-- Credit notes carry negative quantities; those for price or goodwill take no goods off.
invoiced as (
    select
        invoice_lines.source_system,
        invoice_lines.order_line_id,
        {{ sum_in_unit_of_order('invoice_lines') }} as quantity
    from order_lines
    inner join {{ ref('stg_invoice_lines') }} as invoice_lines
        on
            order_lines.source_system = invoice_lines.source_system
            and order_lines.source_key = invoice_lines.order_line_id
    inner join {{ ref('stg_invoices') }} as invoices
        on
            invoice_lines.source_system = invoices.source_system
            and invoice_lines.invoice_id = invoices.source_key
    {{ join_unit_rules('invoice_lines') }}
    where
        not invoice_lines.is_deleted
        and not invoices.is_deleted
        and not (
            coalesce(invoices.type, 'invoice') = 'credit_note'
            and coalesce(invoices.reason, 'other') in ('price_correction', 'goodwill')
        )
    group by invoice_lines.source_system, invoice_lines.order_line_id
),

-- Returns are negative in the model; the units that came back are counted as a positive number.
returned as (
    select
        return_lines.source_system,
        return_lines.order_line_id,
        -{{ sum_in_unit_of_order('return_lines') }} as quantity
    from order_lines
    inner join {{ ref('stg_return_lines') }} as return_lines
        on
            order_lines.source_system = return_lines.source_system
            and order_lines.source_key = return_lines.order_line_id
    inner join {{ ref('stg_returns') }} as returns
        on
            return_lines.source_system = returns.source_system
            and return_lines.return_id = returns.source_key
    {{ join_unit_rules('return_lines') }}
    where not return_lines.is_deleted and not returns.is_deleted
    group by return_lines.source_system, return_lines.order_line_id
),

unified as (
    select
        order_lines.source_system,
        order_lines.order_line_id,
        order_lines.order_id,
        orders.order_number,
        order_lines.line_number,
        orders.customer_id,
        orders.order_date,
        orders.status as order_status,
        order_lines.status,
        order_lines.product_number,
        order_lines.description,
        order_lines.quantity,
        order_lines.unit,
        coalesce(shipped.quantity, 0) as quantity_shipped,
        coalesce(invoiced.quantity, 0) as quantity_invoiced,
        coalesce(returned.quantity, 0) as quantity_returned,
        order_lines.unit_price,
        order_lines.discount_pct,
        orders.currency,
        order_lines.net_amount,
        order_lines.tax_amount,
        orders.reporting_currency,
        orders.fx_rate,
        {{ in_reporting_currency('order_lines.net_amount', 'orders.fx_rate') }}
            as net_amount_reporting,
        {{ in_reporting_currency('order_lines.tax_amount', 'orders.fx_rate') }}
            as tax_amount_reporting,
        order_lines.kit_parent_line_id,
        orders.crm_source_system,
        orders.sales_order_id,
        orders.quote_id,
        orders.opportunity_id,
        orders.company,
        coalesce(progress.quantity_fulfilled, 0) as quantity_fulfilled,
        coalesce(progress.quantity_billed, 0) as quantity_billed,
        coalesce(progress.fulfilment_status, 'open') as fulfilment_status,
        coalesce(progress.billing_status, 'not_invoiced') as billing_status,
        coalesce(progress.return_status, 'none') as return_status
    from order_lines
    inner join orders
        on
            order_lines.source_system = orders.source_system
            and order_lines.order_id = orders.order_id
    left join shipped
        on
            order_lines.source_system = shipped.source_system
            and order_lines.source_key = shipped.order_line_id
    left join invoiced
        on
            order_lines.source_system = invoiced.source_system
            and order_lines.source_key = invoiced.order_line_id
    left join returned
        on
            order_lines.source_system = returned.source_system
            and order_lines.source_key = returned.order_line_id
    left join {{ ref('order_line_progress') }} as progress
        on
            order_lines.source_system = progress.source_system
            and order_lines.source_key = progress.order_line_id
)

select * from unified
