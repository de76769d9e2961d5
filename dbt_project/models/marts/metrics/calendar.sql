{{
    config(
        materialized='table',
        contract={'enforced': true},
    )
}}

with

days as (
    select day::date as day
    from generate_series('2000-01-01'::timestamp, '2049-12-31', '1 day') as day
),

final as (
    select
        day,
        date_trunc('week', day)::date as week,
        date_trunc('month', day)::date as month,
        date_trunc('quarter', day)::date as quarter,
        date_trunc('year', day)::date as year,
        extract(isodow from day) < 6 as is_weekday
    from days
)

select * from final
