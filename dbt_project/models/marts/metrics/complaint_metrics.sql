{{ config(materialized='table', contract={'enforced': true}, meta={'rows_of': 'stg_cases'}) }}

with

complaints as (
    select * from {{ ref('complaints') }}
),

orders as (
    select * from {{ ref('orders') }}
),

-- Who complains of the same again within two weeks complains once.
ordered as (
    select
        *,
        lag(opened_at) over (
            partition by customer_id, order_source_system, order_id, reason
            order by opened_at, source_system, case_id
        ) as previous_opened_at
    from complaints
),

measured as (
    select
        ordered.source_system,
        ordered.case_id,
        {{ utc_date('ordered.opened_at') }} as opened_date,
        ordered.customer_id,
        ordered.reason,
        ordered.order_source_system,
        ordered.order_id,
        orders.company,
        ordered.order_id is not null as is_linked,
        coalesce(
            ordered.customer_id is not null
            and ordered.opened_at - ordered.previous_opened_at
            <= make_interval(days => {{ metric_setting('complaint_repeat_days') }}::integer),
            false
        ) as is_repeated
    from ordered
    left join orders
        on
            ordered.order_source_system = orders.source_system
            and ordered.order_id = orders.order_id
)

select * from measured
