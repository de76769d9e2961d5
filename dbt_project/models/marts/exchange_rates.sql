{{
    config(
        materialized='table',
        contract={'enforced': true},
        indexes=[{'columns': ['currency', 'rate_date', 'source_system']}],
        post_hook='analyze {{ this }}',
    )
}}

with

fx_rates as (
    select * from {{ ref('stg_fx_rates') }}
),

usable_rates as (
    select
        source_system,
        currency,
        rate_date,
        reporting_currency,
        rate
    from fx_rates
    where
        not is_deleted
        and reporting_currency = {{ reporting_currency() }}
        and rate > 0
)

select * from usable_rates
