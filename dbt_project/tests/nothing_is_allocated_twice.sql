{{ config(tags=['integrity']) }}

-- What is left of a line goes its way: else more would have been allocated than there is.
with

remainders as (
    select
        flow.*,
        coalesce(order_lines.quantity, -return_lines.quantity, 0) as ordered
    from {{ ref('quantity_flow') }} as flow
    left join {{ ref('order_lines') }} as order_lines
        on
            flow.from_type = 'order_line'
            and flow.from_source_system = order_lines.source_system
            and flow.from_line_id = order_lines.order_line_id
    left join {{ ref('return_lines') }} as return_lines
        on
            flow.from_type = 'return_line'
            and flow.from_source_system = return_lines.source_system
            and flow.from_line_id = return_lines.return_line_id
    where flow.from_type in ('order_line', 'return_line') and flow.to_line_id is null
),

overdrawn as (
    select * from remainders
    where
        (state in ('open', 'kept', 'cancelled') and quantity * ordered < 0)
        or (state in ('open', 'kept', 'cancelled') and ordered = 0 and quantity < 0)
)

select * from overdrawn
