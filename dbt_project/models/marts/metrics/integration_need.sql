{{ config(materialized='table', contract={'enforced': true}) }}

with

scores as (
    select
        company,
        month,
        max(order_count) as order_count,
        max(score) as score,
        count(*) filter (where points is not null) as known_input_count,
        string_agg(input, ', ' order by input) filter (where flips_verdict) as flipping_inputs
    from {{ ref('integration_need_inputs') }}
    group by company, month
),

twice as (
    select
        coalesce(company, 'unknown') as company,
        date_trunc('month', order_date::timestamp)::date as month,
        sum(entry_cost_reporting) filter (where is_typed_twice) as cost,
        count(*) filter (where is_in_both and touches is not null) as known_count
    from {{ ref('order_metrics') }}
    where order_date is not null
    group by coalesce(company, 'unknown'), date_trunc('month', order_date::timestamp)::date
),

billed as (
    select
        coalesce(company, 'unknown') as company,
        date_trunc('month', invoice_date::timestamp)::date as month,
        coalesce(sum(allowance_amount_reporting) filter (where reason = 'price_correction'), 0)
            as credited,
        sum(
            invoiced_amount_reporting
            * greatest(invoice_lag_days, 0)
            * {{ metric_setting('capital_cost_pct') }}
            / 36500
        ) as delay_cost
    from {{ ref('invoice_metrics') }}
    where invoice_date is not null
    group by coalesce(company, 'unknown'), date_trunc('month', invoice_date::timestamp)::date
),

final as (
    select
        scores.company,
        scores.month,
        scores.order_count,
        scores.known_input_count,
        scores.score,
        scores.score >= {{ metric_setting('integration_verdict_score') }} as is_worth_integrating,
        scores.flipping_inputs,
        {{ reporting_currency() }} as reporting_currency,
        case when twice.known_count > 0 then round(coalesce(twice.cost, 0), 4) end
            as duplicate_entry_cost_reporting,
        round(billed.credited, 4) as mismatch_credit_reporting,
        round(billed.delay_cost, 4) as delayed_cash_cost_reporting,
        case
            when scores.score is null then 'none of the inputs is known in this month'
        end as reason
    from scores
    left join twice on scores.company = twice.company and scores.month = twice.month
    left join billed on scores.company = billed.company and scores.month = billed.month
)

select * from final
