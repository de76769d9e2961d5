{{ config(materialized='table', contract={'enforced': true}) }}

with

versions as (
    select * from {{ periods_of_versions(ref('stg_opportunity_versions')) }} as versions
),

final as (
    select
        source_system,
        raw_id,
        source_key as opportunity_id,
        held_from,
        nullif(held_to, 'infinity') as held_to,
        recorded_at,
        is_deleted,
        account_id,
        name,
        stage,
        probability,
        amount,
        currency,
        close_date,
        is_closed,
        is_won,
        forecast_category,
        owner_id,
        created_at
    from versions
)

select * from final
