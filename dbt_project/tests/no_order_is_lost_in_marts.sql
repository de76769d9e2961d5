{{ config(tags=['integrity']) }}

-- Counts and sums per currency of live staged orders and of the mart, where they differ.
with

staged as (
    select
        source_system,
        currency,
        count(*) as order_count,
        sum(net_amount) as net_amount
    from {{ ref('stg_orders') }}
    where not is_deleted
    group by source_system, currency
),

published as (
    select
        orders.source_system,
        orders.currency,
        count(*) as order_count,
        sum(case when staged.net_amount is not null then orders.net_amount end) as net_amount
    from {{ ref('orders') }} as orders
    left join {{ ref('stg_orders') }} as staged
        on orders.source_system = staged.source_system and orders.order_id = staged.source_key
    group by orders.source_system, orders.currency
),

differing as (
    (
        select * from staged
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from staged
    )
)

select * from differing
