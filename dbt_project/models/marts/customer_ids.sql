{{ config(materialized='table', contract={'enforced': true}) }}

with

ids as (
    select * from {{ source('identity', 'customer_ids') }}
),

resolved as (
    select
        customer_id,
        case when retired_at is null then customer_id else merged_into end as current_customer_id,
        retired_at is null as is_current,
        created_at,
        retired_at
    from ids
)

select * from resolved
