{{ config(materialized='table', contract={'enforced': true}) }}

with

ids as (
    select * from {{ source('identity', 'contact_ids') }}
),

resolved as (
    select
        contact_id,
        case when retired_at is null then contact_id else merged_into end as current_contact_id,
        retired_at is null as is_current,
        created_at,
        retired_at
    from ids
)

select * from resolved
