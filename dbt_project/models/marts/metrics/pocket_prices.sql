{{ config(materialized='table', contract={'enforced': true}, meta={'reads_in_parallel': true}) }}

with

sold as (
    select
        coalesce(company, 'unknown') as company,
        date_trunc('month', order_date::timestamp)::date as month,
        sum(list_amount_reporting) as list_amount_reporting,
        sum(net_amount_reporting) as net_amount_reporting,
        count(*) filter (where net_amount_reporting is null) as unknown_count
    from {{ ref('discount_leakage') }}
    where order_date is not null
    group by coalesce(company, 'unknown'), date_trunc('month', order_date::timestamp)::date
),

-- Goods that came back were not sold for less; every other credit makes the sale worth less.
credits as (
    select
        coalesce(orders.company, 'unknown') as company,
        date_trunc('month', orders.order_date::timestamp)::date as month,
        -sum(invoices.net_amount_reporting) filter (where invoices.reason <> 'return')
            as credited_amount_reporting,
        count(*) filter (where invoices.reason is null) as unexplained_credit_count
    from {{ ref('invoices') }} as invoices
    inner join {{ ref('orders') }} as orders
        on
            invoices.source_system = orders.source_system
            and invoices.order_id = orders.order_id
    where
        invoices.type = 'credit_note'
        and not {{ is_called_off('invoices.status') }}
        and {{ is_countable('orders') }}
    group by
        coalesce(orders.company, 'unknown'), date_trunc('month', orders.order_date::timestamp)::date
),

off_invoice as (
    select
        company,
        date_trunc('month', month::timestamp)::date as month,
        sum(amount) as amount
    from {{ ref('metric_off_invoice_costs') }}
    group by company, date_trunc('month', month::timestamp)::date
),

final as (
    select
        sold.company,
        sold.month,
        {{ reporting_currency() }} as reporting_currency,
        sold.list_amount_reporting,
        sold.net_amount_reporting,
        coalesce(credits.credited_amount_reporting, 0.0000) as credited_amount_reporting,
        sold.net_amount_reporting - coalesce(credits.credited_amount_reporting, 0)
            as after_credits_amount_reporting,
        off_invoice.amount as off_invoice_amount_reporting,
        sold.net_amount_reporting
        - coalesce(credits.credited_amount_reporting, 0)
        - off_invoice.amount
            as pocket_amount_reporting,
        sold.unknown_count,
        coalesce(credits.unexplained_credit_count, 0) as unexplained_credit_count,
        case
            when sold.net_amount_reporting is null then 'amounts without an exchange rate'
            when off_invoice.amount is null
                then 'metric_off_invoice_costs has no row for this month'
        end as reason
    from sold
    left join credits on sold.company = credits.company and sold.month = credits.month
    left join off_invoice on sold.company = off_invoice.company and sold.month = off_invoice.month
)

select * from final
