{{ config(tags=['integrity']) }}

-- Order lines whose derived quantities are not what the ledger allocates to them.
with

allocated as (
    select
        from_source_system as source_system,
        from_line_id as order_line_id,
        coalesce(sum(quantity) filter (where step = 'order_to_shipment'), 0) as shipped,
        coalesce(sum(quantity) filter (where step = 'order_to_invoice'), 0) as invoiced,
        -- Each conversion may round the last digit.
        0.000001 * count(*) filter (where units_differ) as rounding
    from {{ ref('quantity_flow') }}
    where from_type = 'order_line' and state = 'allocated'
    group by from_source_system, from_line_id
),

differing as (
    select
        progress.source_system,
        progress.order_line_id,
        progress.quantity_shipped_directly,
        allocated.shipped,
        progress.quantity_invoiced_directly,
        allocated.invoiced
    from {{ ref('order_line_progress') }} as progress
    left join allocated
        on
            progress.source_system = allocated.source_system
            and progress.order_line_id = allocated.order_line_id
    where
        abs(progress.quantity_shipped_directly - coalesce(allocated.shipped, 0))
        > coalesce(allocated.rounding, 0)
        or abs(progress.quantity_invoiced_directly - coalesce(allocated.invoiced, 0))
        > coalesce(allocated.rounding, 0)
)

select * from differing
