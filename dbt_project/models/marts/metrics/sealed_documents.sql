{{ config(materialized='table', contract={'enforced': true}) }}
-- What is sealed after a publication changes no mart, so this table is built in every run.
-- depends_on: {{ source('identity', 'customer_ids') }}

with

events as (
    select
        source_system,
        document_type,
        {{ utc_date('sealed_at') }} as day,
        count(*) as sealed_count,
        0 as breach_count,
        0 as open_breach_count
    from ops.seals
    group by source_system, document_type, {{ utc_date('sealed_at') }}
    union all
    select
        seals.source_system,
        seals.document_type,
        {{ utc_date('breaches.found_at') }} as day,
        0 as sealed_count,
        count(*) as breach_count,
        count(*) filter (where breaches.status = 'open') as open_breach_count
    from ops.seal_breaches as breaches
    inner join ops.seals as seals on breaches.seal_id = seals.seal_id
    group by seals.source_system, seals.document_type, {{ utc_date('breaches.found_at') }}
),

final as (
    select
        source_system,
        document_type,
        day,
        sum(sealed_count)::bigint as sealed_count,
        sum(breach_count)::bigint as breach_count,
        sum(open_breach_count)::bigint as open_breach_count
    from events
    group by source_system, document_type, day
)

select * from final
