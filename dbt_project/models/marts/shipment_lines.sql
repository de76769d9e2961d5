{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'shipment_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'shipment_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_shipment_lines', 'touches': [{'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_document_lines('shipment') }}",
    )
}}

with

shipments as (
    select * from {{ ref('shipments') }}
    where {{ only_affected(['source_system', 'shipment_id']) }}
),

lines as (
    select * from {{ ref('stg_shipment_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'shipment_id']) }}
),

unified as (
    select
        lines.source_system,
        lines.shipment_line_id,
        lines.shipment_id,
        shipments.shipment_number,
        shipments.customer_id,
        coalesce(order_lines.order_id, shipments.order_id) as order_id,
        lines.order_line_id,
        shipments.shipped_at,
        lines.product_number,
        lines.quantity,
        lines.unit,
        lines.serial_number,
        lines.lot_number
    from lines
    inner join shipments
        on
            lines.source_system = shipments.source_system
            and lines.shipment_id = shipments.shipment_id
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
)

select * from unified
