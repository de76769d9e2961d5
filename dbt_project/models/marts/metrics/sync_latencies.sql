{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'order_id']}],
        pre_hook="{{ affected_sync_latencies() }}",
    )
}}

with

orders as (
    select * from {{ ref('stg_orders') }}
    where modified_at is not null and {{ only_affected(['source_system', 'source_key']) }}
),

-- The first load of an object says nothing of how fast changes arrive.
first_batches as (
    select
        connection,
        object,
        min(batch_id) as batch_id
    from ops.batches
    where status = 'staged'
    group by connection, object
),

arrivals as (
    select
        orders.source_system,
        orders.order_id,
        batches.batch_id,
        orders.modified_at,
        batches.landed_at,
        extract(epoch from batches.landed_at - orders.modified_at) / 60 as minutes
    from orders
    inner join ops.batches as batches on orders.batch_id = batches.batch_id
    inner join first_batches
        on
            batches.connection = first_batches.connection
            and batches.object = first_batches.object
            and batches.batch_id > first_batches.batch_id
),

-- A change from the future says that clocks differ, and nothing of how fast it was.
measured as (
    select
        source_system,
        order_id,
        batch_id,
        modified_at,
        landed_at,
        {{ utc_date('landed_at') }} as landed_date,
        case when minutes >= 0 then round(minutes, 2) end as latency_minutes,
        minutes < 0 as is_negative
    from arrivals
)

select * from measured
