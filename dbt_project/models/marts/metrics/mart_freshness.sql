{{ config(materialized='table', contract={'enforced': true}) }}

with

sources as (
    select * from {{ ref('source_freshness') }}
),

made_of (mart, made_of) as (
    {{ entities_of_marts() }}
),

by_system as (
    select
        made_of.mart,
        made_of.made_of,
        sources.source_system,
        max(sources.newest_modified_at) as newest_modified_at,
        max(sources.run_id) as run_id
    from made_of
    left join sources on sources.entity = any(made_of.made_of)
    group by made_of.mart, made_of.made_of, sources.source_system
),

final as (
    select
        mart,
        made_of,
        max(newest_modified_at) as newest_modified_at,
        max(run_id) as run_id,
        (array_agg(source_system order by newest_modified_at asc nulls last, source_system asc))[1]
            as slowest_source_system,
        min(newest_modified_at) as slowest_modified_at,
        {{ metric_setting('freshness_warn_hours') }}::integer as warn_after_hours,
        {{ metric_setting('freshness_breach_hours') }}::integer as breach_after_hours,
        -- Depend on the moment, so the published view computes them.
        null::timestamptz as last_landed_at,
        null::timestamptz as published_at,
        null::numeric(20, 2) as freshness_minutes,
        null::text as state
    from by_system
    group by mart, made_of
)

select * from final
