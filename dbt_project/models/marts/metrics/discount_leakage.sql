{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'order_id']}],
        meta={'touches': [{'kind': 'discounted_order', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_discounts() }}",
    )
}}

with

orders as (
    select * from {{ ref('orders') }} as orders
    where {{ is_countable('orders') }} and {{ only_affected(['source_system', 'order_id']) }}
),

order_lines as (
    select * from {{ ref('order_lines') }} as order_lines
    where
        {{ is_countable_line('order_lines') }}
        and {{ only_affected(['source_system', 'order_id']) }}
),

releases as (
    select
        source_system,
        order_id,
        min(occurred_at) as released_at
    from {{ ref('stg_order_events') }}
    where
        event = 'released'
        and not is_deleted
        and {{ only_affected(['source_system', 'order_id']) }}
    group by source_system, order_id
),

invoiced as (
    select
        source_system,
        order_line_id,
        count(*) as invoice_line_count,
        sum(quantity) as quantity,
        sum(net_amount) as net_amount
    from {{ ref('invoice_lines') }} as lines
    where
        type = 'invoice'
        and order_line_id is not null
        and not exists (
            select from {{ ref('invoices') }} as cancelled
            where
                {{ is_called_off('cancelled.status') }}
                and lines.source_system = cancelled.source_system
                and lines.invoice_id = cancelled.invoice_id
        )
        and {{ only_affected(['source_system', 'order_id']) }}
    group by source_system, order_line_id
),

-- A product may stand in a quote twice: the line of the same place comes first.
quoted_lines as (
    select distinct on (order_lines.source_system, order_lines.order_line_id)
        order_lines.source_system,
        order_lines.order_line_id,
        quote_lines.quote_line_id,
        quote_lines.list_price,
        quote_lines.quantity,
        quote_lines.net_amount
    from order_lines
    inner join {{ ref('stg_quotes') }} as quotes
        on
            order_lines.crm_source_system = quotes.source_system
            and order_lines.quote_id = quotes.source_key
            and order_lines.currency = quotes.currency
    inner join {{ ref('stg_quote_lines') }} as quote_lines
        on
            quotes.source_system = quote_lines.source_system
            and quotes.source_key = quote_lines.quote_id
            and order_lines.product_number = quote_lines.product_number
    where not quotes.is_deleted and not quote_lines.is_deleted
    order by
        order_lines.source_system asc,
        order_lines.order_line_id asc,
        order_lines.line_number = quote_lines.line_number desc nulls last,
        quote_lines.source_key asc
),

-- The list price of today says nothing about an order of last year: only documents are asked.
listed as (
    select
        order_lines.source_system,
        order_lines.order_line_id,
        order_lines.order_id,
        quoted_lines.quote_line_id,
        order_lines.currency,
        order_lines.fx_rate,
        order_lines.quantity,
        order_lines.net_amount,
        quoted_lines.net_amount as quoted_net_amount,
        quoted_lines.quantity as quoted_quantity,
        invoiced.net_amount as invoiced_net_amount,
        nullif(invoiced.quantity, 0) as invoiced_quantity,
        coalesce(invoiced.invoice_line_count, 0) as invoice_line_count,
        coalesce(nullif(quoted_lines.list_price, 0), order_lines.unit_price) as list_price,
        case when nullif(quoted_lines.list_price, 0) is null then 'order' else 'quote' end
            as list_price_from,
        orders.customer_id,
        orders.company,
        orders.order_date,
        orders.crm_source_system,
        orders.quote_id,
        order_lines.product_number
    from order_lines
    inner join orders
        on
            order_lines.source_system = orders.source_system
            and order_lines.order_id = orders.order_id
    left join quoted_lines
        on
            order_lines.source_system = quoted_lines.source_system
            and order_lines.order_line_id = quoted_lines.order_line_id
    left join invoiced
        on
            order_lines.source_system = invoiced.source_system
            and order_lines.order_line_id = invoiced.order_line_id
),

priced as (
    select
        listed.*,
        round(listed.list_price * listed.quantity, 4) as list_amount,
        round(100 * (1 - listed.net_amount / (listed.list_price * listed.quantity)), 4)
            as order_discount_pct,
        round(
            100
            * (
                1 - listed.quoted_net_amount / nullif(listed.list_price * listed.quoted_quantity, 0)
            ),
            4
        )
            as quote_discount_pct,
        round(
            100 * (1 - listed.invoiced_net_amount / (listed.list_price * listed.invoiced_quantity)),
            4
        )
            as invoice_discount_pct
    from listed
    where listed.list_price > 0 and listed.quantity > 0 and listed.net_amount is not null
),

policy as (
    select * from {{ ref('discount_policy') }}
),

order_sizes as (
    select
        priced.source_system,
        priced.order_id,
        coalesce(customers.type, '*') as customer_group,
        coalesce(sum(priced.list_amount * priced.fx_rate), 0) as list_amount_reporting
    from priced
    left join {{ ref('customers') }} as customers on priced.customer_id = customers.customer_id
    group by priced.source_system, priced.order_id, customers.type
),

-- Once per order: where it is read several times, the policy would be looked up each time.
allowed as materialized (
    select
        order_sizes.source_system,
        order_sizes.order_id,
        {% for role in ['seller', 'approver'] -%}
            (
                select policy.allowed_pct
                from policy
                where
                    policy.role = '{{ role }}'
                    and policy.customer_group in (order_sizes.customer_group, '*')
                    and policy.minimum_order_amount <= order_sizes.list_amount_reporting
                order by policy.customer_group <> '*' desc, policy.minimum_order_amount desc
                limit 1
            ) as {{ role }}_pct
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from order_sizes
),

-- Powers of numeric are dear: one per currency, not one per line.
smallest_units as materialized (
    select
        code as currency,
        power(10::numeric, -minor_units) as amount
    from {{ ref('currencies') }}
),

-- An approval counts when it came before the goods were released; then for what was quoted.
approved as (
    select
        priced.*,
        coalesce(allowed.seller_pct, 0) as seller_pct,
        coalesce(allowed.approver_pct, 0) as approver_pct,
        quotes.approved_at,
        coalesce(releases.released_at, priced.order_date + interval '1 day') as released_at,
        coalesce(priced.order_date > quotes.valid_until, false) as is_expired,
        coalesce(
            quotes.approved_at <= coalesce(
                releases.released_at, priced.order_date + interval '1 day'
            ), false
        ) as is_approved_in_time,
        coalesce(priced.invoice_discount_pct, priced.order_discount_pct) as granted_pct,
        -- Rounding: of every amount, or of the price of every unit, to the last digit.
        coalesce(smallest_units.amount, 0.01)
        * (1 + priced.invoice_line_count + priced.quantity / 2)
            as tolerance
    from priced
    inner join allowed
        on priced.source_system = allowed.source_system and priced.order_id = allowed.order_id
    left join {{ ref('stg_quotes') }} as quotes
        on
            priced.crm_source_system = quotes.source_system
            and priced.quote_id = quotes.source_key
            and not quotes.is_deleted
    left join releases
        on priced.source_system = releases.source_system and priced.order_id = releases.order_id
    left join smallest_units on priced.currency = smallest_units.currency
),

authorised as materialized (
    select
        approved.*,
        greatest(
            approved.seller_pct,
            case
                when approved.is_approved_in_time and not approved.is_expired
                    then
                        least(
                            coalesce(approved.quote_discount_pct, approved.order_discount_pct),
                            approved.approver_pct
                        )
            end
        ) as authorised_pct
    from approved
),

-- What stands above is worked out once, not wherever it is used.
leaking as materialized (
    select
        authorised.*,
        case
            when
                (authorised.granted_pct - authorised.authorised_pct) * authorised.list_amount / 100
                > authorised.tolerance
                then
                    round(
                        (authorised.granted_pct - authorised.authorised_pct)
                        * authorised.list_amount
                        / 100,
                        4
                    )
            else 0
        end as leakage_amount
    from authorised
),

classified as (
    select
        source_system,
        order_line_id,
        order_id,
        order_date,
        customer_id,
        company,
        product_number,
        quote_line_id,
        quantity,
        currency,
        list_price,
        list_price_from,
        list_amount,
        net_amount,
        quote_discount_pct,
        order_discount_pct,
        invoice_discount_pct,
        granted_pct,
        authorised_pct,
        approved_at,
        released_at,
        leakage_amount,
        {{ in_reporting_currency('list_amount', 'fx_rate') }} as list_amount_reporting,
        {{ in_reporting_currency('net_amount', 'fx_rate') }} as net_amount_reporting,
        {{ in_reporting_currency('leakage_amount', 'fx_rate') }} as leakage_amount_reporting,
        -- The first step at which more was given than was allowed.
        case
            when leakage_amount = 0 then 'none'
            when order_discount_pct <= authorised_pct then 'order_vs_invoice_drift'
            when is_expired and quote_discount_pct is not null then 'expired_price_list'
            when
                quote_discount_pct <= greatest(authorised_pct, seller_pct)
                and order_discount_pct > quote_discount_pct
                then 'quote_vs_order_drift'
            when approved_at is null then 'no_approval'
            when not is_approved_in_time then 'approved_after_release'
            else 'above_approved'
        end as leakage_class,
        coalesce(quote_discount_pct, order_discount_pct) > seller_pct
        and (coalesce(quote_discount_pct, order_discount_pct) - seller_pct) * list_amount / 100
        > tolerance
            as requires_approval,
        is_approved_in_time
    from leaking
)

select * from classified
