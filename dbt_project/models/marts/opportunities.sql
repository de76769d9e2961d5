{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'opportunity_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        meta={'rows_of': 'stg_opportunities'},
        indexes=[{'columns': ['customer_id']}],
        pre_hook="{{ affected_crm_documents('opportunity', 'opportunities', 'close_date') }}",
    )
}}

with

opportunities as (
    select * from {{ ref('stg_opportunities') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

order_links as (
    select
        orders.crm_source_system,
        orders.opportunity_id,
        count(orders.order_id) as order_count,
        sum(orders.net_amount_reporting) as ordered_net_amount_reporting,
        (array_agg(orders.source_system order by {{ order_of_orders() }}))[1]
            as order_source_system,
        (array_agg(orders.order_id order by {{ order_of_orders() }}))[1] as order_id
    from opportunities
    inner join {{ ref('orders') }} as orders
        on
            opportunities.source_system = orders.crm_source_system
            and opportunities.source_key = orders.opportunity_id
    group by orders.crm_source_system, orders.opportunity_id
),

conversions as (
    select * from {{ conversions('opportunities', 'close_date') }}
),

converted as (
    select
        opportunities.*,
        {{ fx_rate('opportunities') }} as fx_rate
    from opportunities
    left join conversions
        on
            opportunities.source_system = conversions.source_system
            and opportunities.currency = conversions.currency
            and opportunities.close_date = conversions.rate_date
),

unified as (
    select
        converted.source_system,
        converted.opportunity_id,
        converted.name,
        crosswalk.customer_id,
        converted.account_id,
        converted.stage,
        converted.probability,
        converted.close_date,
        converted.is_closed,
        converted.is_won,
        converted.forecast_category,
        converted.owner_id,
        converted.currency,
        converted.amount,
        {{ reporting_currency() }} as reporting_currency,
        converted.fx_rate,
        {{ in_reporting_currency('converted.amount', 'converted.fx_rate') }}
            as amount_reporting,
        coalesce(order_links.order_count, 0) as order_count,
        order_links.order_source_system,
        order_links.order_id,
        order_links.ordered_net_amount_reporting,
        converted.created_at,
        converted.modified_at
    from converted
    left join order_links
        on
            converted.source_system = order_links.crm_source_system
            and converted.source_key = order_links.opportunity_id
    left join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            converted.source_system = crosswalk.source_system
            and converted.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
            and crosswalk.is_current
)

select * from unified
