{{ config(materialized='table', contract={'enforced': true}) }}
-- Which ids there are counts as changed in every run, so this table is built in every run.
-- depends_on: {{ source('identity', 'customer_ids') }}

with

-- Other flows, such as reviews, move no rows.
runs as (
    select * from ops.runs
    where flow in ('integrate', 'build', 'land', 'identify', 'publish')
),

batches as (
    select
        run_id,
        count(*) as batch_count,
        sum(extracted_count) as extracted_count,
        sum(landed_count) as landed_count,
        sum(rejected_count) as rejected_count,
        sum(accepted_count) as accepted_count,
        sum(quarantined_count) as quarantined_count
    from ops.batches
    group by run_id
),

census as (
    select
        batches.run_id,
        sum(census.source_count) as source_count,
        sum(least(census.warehouse_count, census.source_count)) as found_count
    from ops.census as census
    inner join ops.batches as batches on census.batch_id = batches.batch_id
    group by batches.run_id
),

verdicts as (
    select
        run_id,
        count(*) as expectation_count,
        count(*) filter (where is_success) as passed_count,
        count(*) filter (where outcome = 'block') as blocked_count,
        sum(money_at_risk) filter (where not is_success) as money_at_risk
    from ops.verdicts
    group by run_id
),

quarantined as (
    select
        runs.run_id,
        count(*) filter (where held.run_id = runs.run_id) as opened_count,
        count(*) filter (where held.closed_run_id = runs.run_id) as closed_count,
        count(*) filter (
            where held.closed_run_id is null or held.closed_run_id > runs.run_id
        ) as open_count,
        percentile_cont(0.9) within group (
            order by
                extract(
                    epoch from coalesce(runs.finished_at, runs.started_at) - held.quarantined_at
                )::float8
        ) filter (
            where held.closed_run_id is null or held.closed_run_id > runs.run_id
        ) as open_age_p90_seconds
    from runs
    inner join quarantine.rows as held on runs.run_id >= held.run_id
    where held.closed_run_id is null or held.closed_run_id >= runs.run_id
    group by runs.run_id
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
        orders.version as run_id,
        extract(epoch from batches.landed_at - orders.modified_at)::float8 / 60 as minutes
    from {{ ref('stg_orders') }} as orders
    inner join ops.batches as batches on orders.batch_id = batches.batch_id
    inner join first_batches
        on
            batches.connection = first_batches.connection
            and batches.object = first_batches.object
            and batches.batch_id > first_batches.batch_id
    where orders.modified_at is not null
),

latencies as (
    select
        run_id,
        count(*) as changed_order_count,
        count(*) filter (where minutes < 0) as negative_count,
        sum(minutes) as total_minutes,
        percentile_cont(0.5) within group (order by minutes) as p50_minutes,
        percentile_cont(0.95) within group (order by minutes) as p95_minutes
    from arrivals
    group by run_id
),

newest as (
    select
        version as run_id,
        max(modified_at) as modified_at
    from {{ ref('stg_orders') }}
    group by version
),

identities as (
    select
        run_id,
        count(*) filter (where event = 'merged') as merged_count,
        count(*) filter (where event in ('split', 'restored')) as unmerged_count
    from identity.events
    group by run_id
),

-- A refused run keeps what is published old until the next one that is done.
refusals as (
    select
        refused.run_id,
        min(done.finished_at) - refused.started_at as time_to_resolve
    from runs as refused
    left join runs as done
        on refused.run_id < done.run_id and done.status = 'done' and refused.flow = done.flow
    where refused.status in ('refused', 'failed')
    group by refused.run_id, refused.started_at
),

final as (
    select
        runs.run_id,
        runs.flow,
        runs.status,
        runs.reason,
        runs.is_full,
        {{ utc_date('runs.started_at') }} as started_date,
        runs.started_at,
        runs.finished_at,
        round(extract(epoch from runs.finished_at - runs.started_at)::numeric, 3)
            as duration_seconds,
        coalesce(batches.batch_count, 0)::bigint as batch_count,
        coalesce(batches.extracted_count, 0)::bigint as extracted_count,
        coalesce(batches.landed_count, 0)::bigint as landed_count,
        coalesce(batches.rejected_count, 0)::bigint as rejected_count,
        batches.accepted_count::bigint as accepted_count,
        batches.quarantined_count::bigint as quarantined_count,
        census.source_count::bigint as census_source_count,
        census.found_count::bigint as census_found_count,
        coalesce(verdicts.expectation_count, 0)::bigint as expectation_count,
        coalesce(verdicts.passed_count, 0)::bigint as expectation_passed_count,
        coalesce(verdicts.blocked_count, 0)::bigint as blocked_count,
        verdicts.money_at_risk::numeric(28, 4) as money_at_risk,
        coalesce(quarantined.opened_count, 0)::bigint as quarantine_opened_count,
        coalesce(quarantined.closed_count, 0)::bigint as quarantine_closed_count,
        coalesce(quarantined.open_count, 0)::bigint as quarantine_open_count,
        round((greatest(quarantined.open_age_p90_seconds, 0) / 86400)::numeric, 4)
            as quarantine_age_p90_days,
        coalesce(latencies.changed_order_count, 0)::bigint as changed_order_count,
        round(latencies.total_minutes::numeric, 2) as latency_total_minutes,
        round(latencies.p50_minutes::numeric, 2) as latency_p50_minutes,
        round(latencies.p95_minutes::numeric, 2) as latency_p95_minutes,
        coalesce(latencies.negative_count, 0)::bigint as negative_latency_count,
        round(
            (
                extract(
                    epoch from coalesce(runs.finished_at, runs.started_at) - max(newest.modified_at)
                        over (order by runs.run_id)
                ) / 60
            )::numeric, 2
        ) as freshness_minutes,
        coalesce(identities.merged_count, 0)::bigint as merged_count,
        coalesce(identities.unmerged_count, 0)::bigint as unmerged_count,
        case when refusals.run_id is not null then 1 else 0 end as incident_count,
        round((extract(epoch from refusals.time_to_resolve) / 3600)::numeric, 4)
            as hours_to_resolve
    from runs
    left join batches on runs.run_id = batches.run_id
    left join census on runs.run_id = census.run_id
    left join verdicts on runs.run_id = verdicts.run_id
    left join quarantined on runs.run_id = quarantined.run_id
    left join latencies on runs.run_id = latencies.run_id
    left join newest on runs.run_id = newest.run_id
    left join identities on runs.run_id = identities.run_id
    left join refusals on runs.run_id = refusals.run_id
)

select * from final
