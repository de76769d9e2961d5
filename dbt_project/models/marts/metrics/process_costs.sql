{{ config(materialized='table', contract={'enforced': true}) }}

with

costs as (
    select * from {{ ref('metric_process_costs') }}
),

final as (
    select
        company,
        date_trunc('month', month::timestamp)::date as month,
        kind,
        {{ reporting_currency() }} as reporting_currency,
        sum(amount) as amount_reporting
    from costs
    group by company, date_trunc('month', month::timestamp)::date, kind
)

select * from final
