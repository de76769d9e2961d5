{{ config(materialized='table', contract={'enforced': true}) }}

with

ids as (
    select * from {{ source('identity', 'product_ids') }}
),

resolved as (
    select
        product_id,
        case when retired_at is null then product_id else merged_into end as current_product_id,
        retired_at is null as is_current,
        created_at,
        retired_at
    from ids
)

select * from resolved
