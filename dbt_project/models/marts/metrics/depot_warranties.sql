{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['owner_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['owner_key']}],
        pre_hook="{{ affected_depot() }}",
    )
}}

with

depot as (
    select
        *,
        coalesce({{ utc_date('last_shipped_at') }}, last_order_date) as in_use_since
    from {{ ref('purchased_products') }}
    where units_in_use > 0 and {{ only_affected(['owner_key']) }}
),

terms as (
    select * from {{ ref('metric_service_terms') }}
),

final as (
    select
        depot.depot_id,
        depot.owner_key,
        depot.customer_id,
        depot.site_key,
        depot.product_number,
        depot.serial_number,
        depot.lot_number,
        depot.units_in_use,
        depot.in_use_since,
        coalesce(own.warranty_months, general.warranty_months) as warranty_months,
        (
            depot.in_use_since
            + make_interval(months => coalesce(own.warranty_months, general.warranty_months))
        )::date as warranty_ends_on,
        depot.reporting_currency,
        depot.in_use_net_amount_reporting,
        round(
            depot.in_use_net_amount_reporting
            * coalesce(own.renewal_pct, general.renewal_pct)
            / 100,
            4
        ) as renewal_amount_reporting,
        case
            when num_nulls(own.warranty_months, general.warranty_months) = 2
                then 'metric_service_terms has no row for this product'
            when depot.in_use_since is null then 'nobody says when it was delivered or ordered'
        end as reason,
        -- Depend on today, so the published view computes them.
        null::integer as days_left,
        null::text as warranty_state
    from depot
    left join terms as own on depot.product_number = own.product_number
    left join terms as general on general.product_number = '*'
)

select * from final
