{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'quote_chain'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        meta={'rows_of': 'stg_quotes'},
        indexes=[{'columns': ['quote_date']}],
        pre_hook="{{ affected_quote_metrics() }}",
    )
}}

with

quotes as (
    select *
    from (
        select
            *,
            coalesce(quote_number, quote_id) as quote_chain
        from {{ ref('quotes') }}
    ) as numbered
    where {{ only_affected(['source_system', 'quote_chain']) }}
),

chains as (
    select
        source_system,
        quote_chain,
        count(*) as revision_count,
        min(quote_date) as first_quote_date,
        sum(order_count) as order_count,
        sum(ordered_net_amount_reporting) as ordered_net_amount_reporting
    from quotes
    group by source_system, quote_chain
),

-- Earlier revisions are not quotes of their own.
latest as (
    select distinct on (source_system, quote_chain) *
    from quotes
    order by
        source_system asc, quote_chain asc, revision desc nulls last, quote_date desc nulls last,
        quote_id asc
),

orders as (
    select
        latest.source_system as quote_source_system,
        latest.quote_chain,
        latest.quote_id,
        orders.source_system,
        orders.order_id,
        orders.order_date,
        orders.company,
        row_number() over (
            partition by latest.source_system, latest.quote_chain
            order by {{ order_of_orders() }}
        ) as place
    from latest
    inner join {{ ref('orders') }} as orders
        on
            latest.source_system = orders.crm_source_system
            and latest.quote_id = orders.quote_id
),

quoted_lines as (
    select
        latest.source_system,
        latest.quote_chain,
        array_agg(quote_lines.quote_line_id order by quote_lines.quote_line_id) as line_ids,
        array_agg(
            concat_ws(
                '|', quote_lines.product_number, quote_lines.quantity, quote_lines.unit,
                quote_lines.net_amount
            )
            order by
                quote_lines.product_number, quote_lines.quantity, quote_lines.unit,
                quote_lines.net_amount
        ) as lines
    from latest
    inner join {{ ref('stg_quote_lines') }} as quote_lines
        on
            latest.source_system = quote_lines.source_system
            and latest.quote_id = quote_lines.quote_id
    where not quote_lines.is_deleted
    group by latest.source_system, latest.quote_chain
),

ordered_lines as (
    select
        orders.quote_source_system,
        orders.quote_chain,
        array_agg(
            concat_ws(
                '|', order_lines.product_number, order_lines.quantity, order_lines.unit,
                order_lines.net_amount
            )
            order by
                order_lines.product_number, order_lines.quantity, order_lines.unit,
                order_lines.net_amount
        ) as lines
    from orders
    inner join {{ ref('order_lines') }} as order_lines
        on
            orders.source_system = order_lines.source_system
            and orders.order_id = order_lines.order_id
    group by orders.quote_source_system, orders.quote_chain
),

-- Products of all orders that a revision of the quote led to.
ordered_products as (
    select distinct
        quotes.source_system,
        quotes.quote_chain,
        {{ product_key('order_lines.product_number') }} as product_key
    from quotes
    inner join {{ ref('orders') }} as orders
        on
            quotes.source_system = orders.crm_source_system
            and quotes.quote_id = orders.quote_id
    inner join {{ ref('order_lines') }} as order_lines
        on
            orders.source_system = order_lines.source_system
            and orders.order_id = order_lines.order_id
),

line_counts as (
    select
        latest.source_system,
        latest.quote_chain,
        count(*) as line_count,
        count(ordered_products.product_key) as ordered_line_count
    from latest
    inner join {{ ref('stg_quote_lines') }} as quote_lines
        on
            latest.source_system = quote_lines.source_system
            and latest.quote_id = quote_lines.quote_id
    left join ordered_products
        on
            latest.source_system = ordered_products.source_system
            and latest.quote_chain = ordered_products.quote_chain
            and {{ product_key('quote_lines.product_number') }} = ordered_products.product_key
    where not quote_lines.is_deleted
    group by latest.source_system, latest.quote_chain
),

opportunities as (
    select * from {{ ref('stg_opportunities') }}
    where not is_deleted
),

measured as (
    select
        latest.source_system,
        latest.quote_chain,
        latest.quote_id,
        chains.first_quote_date as quote_date,
        latest.customer_id,
        orders.company,
        latest.status,
        chains.revision_count,
        latest.net_amount_reporting,
        chains.order_count > 0 as is_ordered,
        coalesce(latest.status in ('accepted', 'rejected', 'expired'), false)
        or chains.order_count > 0 as is_final,
        chains.ordered_net_amount_reporting,
        orders.order_date - chains.first_quote_date as cycle_days,
        case
            when latest.order_count > 0
                then coalesce(quoted_lines.lines = ordered_lines.lines, false)
        end as is_ordered_as_quoted,
        {{ hours_between('latest.created_at', 'latest.approved_at') }} as approval_hours,
        case
            when latest.approved_at is not null
                then coalesce(latest.approved_by = opportunities.owner_id, false)
        end as is_approved_by_its_seller,
        quoted_lines.line_ids as quote_line_ids,
        coalesce(line_counts.line_count, 0) as line_count,
        coalesce(line_counts.ordered_line_count, 0) as ordered_line_count
    from latest
    inner join chains
        on
            latest.source_system = chains.source_system
            and latest.quote_chain = chains.quote_chain
    left join orders
        on
            latest.source_system = orders.quote_source_system
            and latest.quote_chain = orders.quote_chain
            and orders.place = 1
    left join quoted_lines
        on
            latest.source_system = quoted_lines.source_system
            and latest.quote_chain = quoted_lines.quote_chain
    left join line_counts
        on
            latest.source_system = line_counts.source_system
            and latest.quote_chain = line_counts.quote_chain
    left join ordered_lines
        on
            latest.source_system = ordered_lines.quote_source_system
            and latest.quote_chain = ordered_lines.quote_chain
    left join opportunities
        on
            latest.source_system = opportunities.source_system
            and latest.opportunity_id = opportunities.source_key
)

select * from measured
