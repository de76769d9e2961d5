{{ config(materialized='table', contract={'enforced': true}) }}

with

inputs as (
    select * from {{ ref('metric_integration_inputs') }}
),

monthly as (
    select
        coalesce(company, 'unknown') as company,
        date_trunc('month', order_date::timestamp)::date as month,
        count(*) as order_count,
        sum(returned_line_count) as returned_lines,
        sum(shipped_line_count) filter (where returned_line_count is not null) as shipped_lines,
        sum(complaint_count) as complaints,
        count(complaint_count) as orders_with_complaints_known,
        sum(touches) as touches,
        count(touches) as audited_orders,
        count(*) filter (where is_in_both and is_typed_twice) as typed_twice,
        count(*) filter (where is_in_both) as in_both,
        count(*) filter (where is_changed_after_release) as changed_after_release,
        count(*) filter (where is_released) as released
    from {{ ref('order_metrics') }}
    where order_date is not null
    group by coalesce(company, 'unknown'), date_trunc('month', order_date::timestamp)::date
),

matched as (
    select
        company,
        month,
        sum(crm_sale_count - crm_linked_count + erp_order_count - erp_linked_count) as unmatched,
        sum(crm_sale_count) as crm_sales,
        sum(crm_sale_count + erp_order_count) as documents
    from {{ ref('match_metrics') }}
    group by company, month
),

measured as (
    select
        monthly.company,
        monthly.month,
        monthly.order_count,
        listed.input,
        listed.numerator,
        nullif(listed.denominator, 0) as denominator,
        listed.scale * listed.numerator / nullif(listed.denominator, 0) as value
    from monthly
    left join matched on monthly.company = matched.company and monthly.month = matched.month
    cross join
        lateral (
            values
            ('return_rate_lines', monthly.returned_lines, monthly.shipped_lines, 1),
            (
                'complaint_rate_per_1000_orders', monthly.complaints,
                monthly.orders_with_complaints_known, 1000
            ),
            ('order_entry_touches_per_order', monthly.touches, monthly.audited_orders, 1),
            ('duplicate_entry_share', monthly.typed_twice, monthly.in_both, 1),
            ('post_release_change_rate', monthly.changed_after_release, monthly.released, 1),
            -- Without a CRM there is nothing that could match.
            (
                'match_gap', matched.unmatched,
                case when matched.crm_sales > 0 then matched.documents end, 1
            )
        ) as listed (input, numerator, denominator, scale)
),

scored as (
    select
        measured.*,
        inputs.weight,
        inputs.at_best,
        inputs.at_worst,
        -- Without the condition, an unknown value would be taken for the worst one.
        case
            when measured.value is not null
                then
                    100 * greatest(
                        least(
                            (measured.value - inputs.at_best)
                            / nullif(inputs.at_worst - inputs.at_best, 0),
                            1
                        ),
                        0
                    )
        end as points
    from measured
    inner join inputs on measured.input = inputs.input
),

summed as (
    select
        *,
        sum(points * weight) over (partition by company, month) as all_points,
        sum(weight) filter (where points is not null) over (partition by company, month)
            as all_weight,
        {{ metric_setting('integration_verdict_score') }} as limit_score
    from scored
),

final as (
    select
        company,
        month,
        input,
        numerator,
        denominator,
        round(value, 6) as value,
        weight,
        at_best,
        at_worst,
        order_count,
        round(points, 4) as points,
        case when points is not null then round(weight * order_count, 4) end as order_weight,
        round(points * weight * order_count, 4) as order_points,
        round(all_points / all_weight, 4) as score,
        round((all_points - points * weight) / all_weight, 4) as score_at_best,
        round((all_points + (100 - points) * weight) / all_weight, 4) as score_at_worst,
        case
            when points is not null
                then
                    -- At its best the figure only takes away, at its worst it only adds.
                    (
                        all_points / all_weight >= limit_score
                        and (all_points - points * weight) / all_weight < limit_score
                    )
                    or (
                        all_points / all_weight < limit_score
                        and (all_points + (100 - points) * weight) / all_weight >= limit_score
                    )
        end as flips_verdict,
        case when points is null then 'not known, or nothing to divide by in this month' end
            as reason
    from summed
)

select * from final
