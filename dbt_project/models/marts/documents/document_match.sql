{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['chain_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['chain_id']}, {'columns': ['source_system', 'order_id']}],
        pre_hook="{{ affected_chains() }}",
    )
}}

with

flow as (
    select * from {{ ref('quantity_flow') }}
    where {{ only_affected(['chain_id']) }}
),

tolerances as (
    {{ document_tolerances() }}
),

---------- every order line that was not called off, and its chain

ordered as (
    select distinct
        flow.chain_id,
        flow.from_source_system as source_system,
        flow.from_line_id as order_line_id
    from flow
    where flow.step = 'order_to_invoice' and flow.from_type = 'order_line'
),

chains as (
    select
        ordered.chain_id,
        lines.*,
        orders.order_number as number_of_order,
        orders.status as source_status,
        orders.bill_to_address_id,
        quotes.customer_id as quote_customer_id,
        quotes.currency as quote_currency
    from ordered
    inner join {{ ref('order_lines') }} as lines
        on
            ordered.source_system = lines.source_system
            and ordered.order_line_id = lines.order_line_id
    inner join {{ ref('orders') }} as orders
        on
            lines.source_system = orders.source_system
            and lines.order_id = orders.order_id
    left join {{ ref('quotes') }} as quotes
        on
            orders.crm_source_system = quotes.source_system
            and orders.quote_id = quotes.quote_id
    where
        lines.fulfilment_status not in ('cancelled', 'nothing_ordered')
        or lines.quantity_billed <> 0
),

---------- what the quote, the invoices and the shipments say about it

quoted as (
    select
        flow.to_source_system as source_system,
        flow.to_line_id as order_line_id,
        min(flow.from_line_id) as quote_line_id,
        count(*) as quote_line_count,
        sum(flow.to_quantity) as quantity,
        sum({{ share_of_amount('quote_lines', 'flow.quantity') }}) as net_amount,
        bool_and(quote_lines.net_amount is not null) as has_amounts,
        min(quote_lines.product_number) as product_number,
        bool_or(flow.products_differ) as products_differ,
        min(quote_lines.discount_pct) as discount_pct
    from flow
    inner join {{ ref('stg_quote_lines') }} as quote_lines
        on
            flow.from_source_system = quote_lines.source_system
            and flow.from_line_id = quote_lines.source_key
    where flow.step = 'quote_to_order' and flow.state = 'allocated'
    group by flow.to_source_system, flow.to_line_id
),

-- A credit that corrects a price belongs to what the line costs in the end.
bills as (
    select
        flow.from_source_system as source_system,
        flow.from_line_id as order_line_id,
        flow.to_line_id as invoice_line_id,
        flow.quantity,
        {{ share_of_amount('lines', 'flow.to_quantity') }} as net_amount,
        flow.products_differ,
        true as is_billed
    from flow
    inner join {{ ref('invoice_lines') }} as lines
        on
            flow.to_source_system = lines.source_system
            and flow.to_line_id = lines.invoice_line_id
    where flow.step = 'order_to_invoice' and flow.state = 'allocated'
    union all
    select
        lines.source_system,
        lines.order_line_id,
        lines.invoice_line_id,
        0 as quantity,
        lines.net_amount,
        false as products_differ,
        false as is_billed
    from flow
    inner join {{ ref('invoice_lines') }} as lines
        on
            flow.to_source_system = lines.source_system
            and flow.to_line_id = lines.invoice_line_id
    inner join {{ ref('invoices') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.invoice_id = headers.invoice_id
    where
        flow.step = 'invoice_to_credit'
        and flow.state = 'not_counted'
        and headers.reason = 'price_correction'
        and not {{ is_called_off('headers.status') }}
        and lines.order_line_id is not null
),

invoiced as (
    select
        bills.source_system,
        bills.order_line_id,
        count(*) filter (where bills.is_billed) as invoice_line_count,
        sum(bills.quantity) as quantity,
        sum(bills.net_amount) as net_amount,
        bool_and(bills.net_amount is not null) as has_amounts,
        min(lines.product_number) filter (where bills.is_billed) as product_number,
        bool_or(bills.products_differ) as products_differ,
        min(lines.unit_price) filter (where bills.is_billed) as lowest_unit_price,
        max(lines.unit_price) filter (where bills.is_billed) as highest_unit_price,
        min(lines.discount_pct) filter (where bills.is_billed) as lowest_discount_pct,
        max(lines.discount_pct) filter (where bills.is_billed) as highest_discount_pct,
        min(lines.currency) as currency,
        max(lines.currency) as other_currency,
        min(lines.customer_id) as customer_id,
        max(lines.customer_id) as other_customer_id,
        sum(lines.tax_amount) filter (where bills.is_billed and lines.net_amount <> 0)
        / nullif(sum(lines.net_amount) filter (where bills.is_billed), 0) * 100 as tax_rate
    from bills
    inner join {{ ref('invoice_lines') }} as lines
        on
            bills.source_system = lines.source_system
            and bills.invoice_line_id = lines.invoice_line_id
    group by bills.source_system, bills.order_line_id
),

shipped as (
    select
        from_source_system as source_system,
        from_line_id as order_line_id,
        sum(quantity) as quantity
    from flow
    where step = 'order_to_shipment' and state = 'allocated'
    group by from_source_system, from_line_id
),

-- Invoiced beyond the order: at the line that the invoice names, else a row of its own.
beyond as (
    select
        flow.chain_id,
        flow.quantity,
        flow.to_quantity,
        {{ share_of_amount('lines', 'flow.to_quantity') }} as net_amount,
        lines.source_system,
        lines.invoice_line_id,
        lines.order_id,
        lines.customer_id,
        lines.product_number,
        lines.currency,
        lines.fx_rate,
        chains.order_line_id
    from flow
    inner join {{ ref('invoice_lines') }} as lines
        on
            flow.to_source_system = lines.source_system
            and flow.to_line_id = lines.invoice_line_id
    left join chains
        on
            lines.source_system = chains.source_system
            and lines.order_line_id = chains.order_line_id
    where
        flow.step = 'order_to_invoice'
        and flow.state = 'over'
        and flow.to_type = 'invoice_line'
),

beyond_by_line as (
    select
        source_system,
        order_line_id,
        sum(quantity) as quantity,
        sum(net_amount) as net_amount
    from beyond
    where order_line_id is not null
    group by source_system, order_line_id
),

compared as (
    select
        chains.chain_id,
        'order_line|' || chains.source_system || '|' || chains.order_line_id as match_id,
        chains.source_system,
        chains.order_id,
        chains.number_of_order as order_number,
        chains.order_line_id,
        chains.customer_id,
        chains.order_date,
        chains.crm_source_system,
        chains.quote_id,
        quoted.quote_line_id,
        coalesce(quoted.quote_line_count, 0) as quote_line_count,
        coalesce(invoiced.invoice_line_count, 0) as invoice_line_count,
        quoted.product_number as quoted_product_number,
        chains.product_number,
        invoiced.product_number as invoiced_product_number,
        quoted.quantity as quoted_quantity,
        chains.quantity as ordered_quantity,
        coalesce(shipped.quantity, 0) as shipped_quantity,
        coalesce(invoiced.quantity, 0) + coalesce(beyond_by_line.quantity, 0) as invoiced_quantity,
        coalesce(beyond_by_line.quantity, 0) as over_invoiced_quantity,
        chains.currency,
        quoted.net_amount as quoted_net_amount,
        chains.net_amount as ordered_net_amount,
        case
            when invoiced.invoice_line_count > 0 or beyond_by_line.quantity is not null
                then coalesce(invoiced.net_amount, 0) + coalesce(beyond_by_line.net_amount, 0)
        end as invoiced_net_amount,
        beyond_by_line.net_amount as over_invoiced_net_amount,
        chains.fx_rate,
        chains.quantity - quoted.quantity as quote_quantity_difference,
        coalesce(invoiced.quantity, 0) - chains.quantity as invoice_quantity_difference,
        chains.net_amount * (quoted.quantity / nullif(chains.quantity, 0))
        - quoted.net_amount as quote_price_difference,
        invoiced.net_amount - chains.net_amount * (invoiced.quantity / nullif(chains.quantity, 0))
            as invoice_price_difference,
        coalesce(quoted.products_differ, false) or coalesce(invoiced.products_differ, false)
            as is_substituted,
        invoiced.has_amounts is false
        or quoted.has_amounts is false
        or (chains.net_amount is null and invoiced.net_amount is not null) as lacks_amounts,
        coalesce(
            invoiced.lowest_unit_price = chains.unit_price
            and invoiced.highest_unit_price = chains.unit_price
            and coalesce(invoiced.lowest_discount_pct, 0) = coalesce(chains.discount_pct, 0)
            and coalesce(invoiced.highest_discount_pct, 0) = coalesce(chains.discount_pct, 0),
            false
        ) as has_the_same_prices,
        greatest(
            abs(coalesce(invoiced.lowest_discount_pct, 0) - coalesce(chains.discount_pct, 0)),
            abs(coalesce(invoiced.highest_discount_pct, 0) - coalesce(chains.discount_pct, 0))
        ) as discount_difference,
        array_remove(
            array[
                case
                    when
                        chains.currency <> chains.quote_currency
                        or chains.currency <> invoiced.currency
                        or chains.currency <> invoiced.other_currency
                        then 'currency'
                end,
                case
                    when
                        chains.customer_id <> chains.quote_customer_id
                        or chains.customer_id <> invoiced.customer_id
                        or chains.customer_id <> invoiced.other_customer_id
                        then 'customer'
                end,
                case
                    when {{ exceeds(
                        'tax_rate',
                        'invoiced.tax_rate - chains.tax_amount / nullif(chains.net_amount, 0) * 100',
                        '0'
                    ) }} then 'tax'
                end
            ],
            null
        ) as differing_terms,
        case
            when chains.billing_status in ('invoiced', 'over_invoiced') then 'fully_invoiced'
            when chains.source_status in ('invoiced', 'closed') then 'source_says_closed'
        end as closed_by,
        chains.billing_status = 'free_of_charge' as is_free
    from chains
    cross join tolerances
    left join quoted
        on
            chains.source_system = quoted.source_system
            and chains.order_line_id = quoted.order_line_id
    left join invoiced
        on
            chains.source_system = invoiced.source_system
            and chains.order_line_id = invoiced.order_line_id
    left join shipped
        on
            chains.source_system = shipped.source_system
            and chains.order_line_id = shipped.order_line_id
    left join beyond_by_line
        on
            chains.source_system = beyond_by_line.source_system
            and chains.order_line_id = beyond_by_line.order_line_id
),

judged as (
    select
        compared.*,
        case
            when
                compared.closed_by is not null
                and compared.invoiced_quantity = 0
                and not compared.is_free
                then 'missing_invoice'
            when compared.over_invoiced_quantity <> 0 then 'over_invoiced'
            when compared.is_substituted then 'item_substituted'
            when
                {{ exceeds('quantity', 'quote_quantity_difference', 'ordered_quantity') }}
                or (
                    compared.invoiced_quantity <> 0
                    and {{ exceeds(
                        'quantity', 'invoice_quantity_difference', 'ordered_quantity'
                    ) }}
                )
                then 'qty_variance'
            -- Amounts in two currencies are not compared.
            when 'currency' = any(compared.differing_terms) then 'terms_variance'
            when
                compared.lacks_amounts
                or {{ exceeds('net_amount', 'quote_price_difference', 'ordered_net_amount') }}
                or {{ exceeds('net_amount', 'invoice_price_difference', 'ordered_net_amount') }}
                or {{ exceeds('discount_pct', 'discount_difference', '0') }}
                then 'price_variance'
            when cardinality(compared.differing_terms) > 0 then 'terms_variance'
            when compared.quote_line_id is null then 'missing_quote'
            when
                coalesce(compared.quote_quantity_difference, 0) = 0
                and coalesce(round(compared.quote_price_difference, 4), 0) = 0
                and compared.invoice_quantity_difference = 0
                and coalesce(round(compared.invoice_price_difference, 4), 0) = 0
                and compared.discount_difference = 0
                then 'exact'
            when
                coalesce(compared.quote_quantity_difference, 0) = 0
                and coalesce(round(compared.quote_price_difference, 4), 0) = 0
                and compared.invoice_quantity_difference = 0
                and compared.has_the_same_prices
                and abs(compared.invoice_price_difference)
                <= tolerances.rounding_absolute * compared.invoice_line_count
                then 'rounding_only'
            else 'within_tolerance'
        end as outcome,
        {{ exceeds(
            'quantity', 'compared.shipped_quantity - compared.invoiced_quantity', 'ordered_quantity'
        ) }} as differs_from_shipment
    from compared
    cross join tolerances
),

matches as (
    select
        match_id,
        chain_id,
        source_system,
        order_id,
        order_number,
        order_line_id,
        customer_id,
        order_date,
        crm_source_system,
        quote_id,
        quote_line_id,
        quote_line_count,
        invoice_line_count,
        quoted_product_number,
        product_number,
        invoiced_product_number,
        quoted_quantity,
        ordered_quantity,
        shipped_quantity,
        invoiced_quantity,
        over_invoiced_quantity,
        currency,
        round(quoted_net_amount, 4) as quoted_net_amount,
        ordered_net_amount,
        round(invoiced_net_amount, 4) as invoiced_net_amount,
        round(coalesce(quote_price_difference, 0), 4) as quote_price_difference,
        round(
            coalesce(invoice_price_difference, 0) + coalesce(over_invoiced_net_amount, 0), 4
        ) as invoice_price_difference,
        {{ in_reporting_currency('ordered_net_amount', 'fx_rate') }}
            as ordered_net_amount_reporting,
        {{ in_reporting_currency('invoiced_net_amount', 'fx_rate') }}
            as invoiced_net_amount_reporting,
        array_to_string(differing_terms, ', ') as differing_terms,
        closed_by,
        case when closed_by is not null then outcome end as outcome,
        (closed_by is not null)::integer as closed_count,
        (
            closed_by is not null and outcome in ('exact', 'within_tolerance', 'rounding_only')
        )::integer as matched_count,
        (
            closed_by is not null
            and outcome in ('exact', 'within_tolerance', 'rounding_only')
            and not differs_from_shipment
        )::integer as matched_with_shipment_count
    from judged
    union all
    select
        'invoice_line|' || source_system || '|' || invoice_line_id as match_id,
        chain_id,
        source_system,
        order_id,
        null as order_number,
        null as order_line_id,
        customer_id,
        null as order_date,
        null as crm_source_system,
        null as quote_id,
        null as quote_line_id,
        0 as quote_line_count,
        1 as invoice_line_count,
        null as quoted_product_number,
        null as product_number,
        product_number as invoiced_product_number,
        null as quoted_quantity,
        0 as ordered_quantity,
        0 as shipped_quantity,
        to_quantity as invoiced_quantity,
        to_quantity as over_invoiced_quantity,
        currency,
        null as quoted_net_amount,
        0 as ordered_net_amount,
        round(net_amount, 4) as invoiced_net_amount,
        0 as quote_price_difference,
        round(net_amount, 4) as invoice_price_difference,
        0 as ordered_net_amount_reporting,
        {{ in_reporting_currency('net_amount', 'fx_rate') }} as invoiced_net_amount_reporting,
        '' as differing_terms,
        'invoiced_without_order' as closed_by,
        'over_invoiced' as outcome,
        1 as closed_count,
        0 as matched_count,
        0 as matched_with_shipment_count
    from beyond
    where order_line_id is null
)

select * from matches
