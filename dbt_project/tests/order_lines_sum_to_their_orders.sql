{{ config(tags=['integrity']) }}

-- Orders whose published lines do not add up to the sum that the order carries.
with

summed_lines as (
    select
        source_system,
        order_id,
        count(*) as line_count,
        case when count(net_amount) = count(*) then sum(net_amount) end as net_amount
    from {{ ref('order_lines') }}
    group by source_system, order_id
),

differing as (
    select
        orders.source_system,
        orders.order_id,
        orders.lines_net_amount,
        summed_lines.net_amount
    from {{ ref('orders') }} as orders
    left join summed_lines
        on
            orders.source_system = summed_lines.source_system
            and orders.order_id = summed_lines.order_id
    where
        orders.lines_net_amount is distinct from summed_lines.net_amount
        or orders.line_count <> coalesce(summed_lines.line_count, 0)
)

select * from differing
