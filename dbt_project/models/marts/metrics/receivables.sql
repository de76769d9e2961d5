{{ config(materialized='table', contract={'enforced': true}, meta={'rows_of': 'stg_invoices'}) }}

with

invoices as (
    select
        *,
        coalesce(company, 'unknown') as known_company
    from {{ ref('invoices') }}
    where invoice_date is not null and not {{ is_called_off('status') }}
),

payments as (
    select * from {{ ref('stg_payments') }}
    where not is_deleted and paid_at is not null
),

has_payments as (
    select exists(select from payments) as is_known
),

-- A payment is converted as its invoice was, so that a paid invoice leaves nothing behind.
settled as (
    select
        invoices.known_company as company,
        greatest({{ utc_date('payments.paid_at') }}, invoices.invoice_date) as paid_date,
        invoices.due_date,
        invoices.type,
        case
            when coalesce(payments.currency, invoices.currency) = invoices.currency
                then payments.amount * invoices.fx_rate
        end as amount
    from payments
    inner join invoices
        on
            payments.source_system = invoices.source_system
            and payments.invoice_id = invoices.invoice_id
),

-- What moves the balance, and what moves the part of it that is past due.
movements as (
    select
        known_company as company,
        date_trunc('month', invoice_date)::date as month,
        case when type = 'invoice' then gross_amount_reporting end as sales,
        gross_amount_reporting as receivable,
        null::numeric as overdue,
        case when gross_amount_reporting is null then 1 else 0 end as unconverted,
        true as is_booking
    from invoices
    union all
    select
        known_company as company,
        date_trunc('month', due_date + 1)::date as month,
        null as sales,
        null as receivable,
        gross_amount_reporting as overdue,
        0 as unconverted,
        false as is_booking
    from invoices
    where type = 'invoice' and due_date is not null
    union all
    select
        company,
        date_trunc('month', paid_date)::date as month,
        null as sales,
        -amount as receivable,
        null as overdue,
        case when amount is null then 1 else 0 end as unconverted,
        true as is_booking
    from settled
    union all
    select
        company,
        date_trunc('month', greatest(paid_date, due_date + 1))::date as month,
        null as sales,
        null as receivable,
        -amount as overdue,
        0 as unconverted,
        false as is_booking
    from settled
    where type = 'invoice' and due_date is not null
),

-- Invoices may be due long after the last document: a month that is not over has no month-end.
bounds as (
    select
        company,
        min(month) as first_month,
        max(month) filter (where is_booking) as last_month
    from movements
    group by company
),

months as (
    select
        bounds.company,
        month::date as month
    from bounds
    cross join
        lateral generate_series(bounds.first_month::timestamp, bounds.last_month, '1 month')
            as month
),

monthly as (
    select
        months.company,
        months.month,
        (months.month + interval '1 month')::date - months.month as day_count,
        coalesce(sum(movements.sales), 0) as sales,
        coalesce(sum(movements.receivable), 0) as receivable,
        coalesce(sum(movements.overdue), 0) as overdue,
        coalesce(sum(movements.unconverted), 0) as unconverted
    from months
    left join movements
        on months.company = movements.company and months.month = movements.month
    group by months.company, months.month
),

balances as (
    select
        company,
        month,
        day_count,
        sales,
        sum(receivable) over (partition by company order by month) as receivable,
        sum(overdue) over (partition by company order by month) as overdue,
        sum(unconverted) over (partition by company order by month) as unconverted
    from monthly
),

-- Count back: the latest months whose sales the receivables still cover count whole, and of the
-- month before them the share that is left.
counted_back as (
    select
        balances.company,
        balances.month,
        sum(
            case
                when balances.receivable <= earlier.sales_after then 0
                when earlier.sales <= 0 then earlier.day_count
                else
                    least((balances.receivable - earlier.sales_after) / earlier.sales, 1)
                    * earlier.day_count
            end
        ) as days,
        sum(earlier.sales) as sales_so_far
    from balances
    cross join
        lateral (
            select
                past.day_count,
                past.sales,
                sum(past.sales) over (order by past.month desc) - past.sales as sales_after
            from balances as past
            where past.company = balances.company and past.month <= balances.month
        ) as earlier
    group by balances.company, balances.month
),

measured as (
    select
        balances.company,
        balances.month,
        balances.day_count,
        balances.sales,
        balances.receivable,
        balances.receivable - balances.overdue as not_due,
        case
            when not has_payments.is_known then 'no payments are landed'
            when balances.unconverted > 0 then 'amounts without an exchange rate'
            when balances.sales_so_far < balances.receivable
                then 'receivables are older than the sales that are known'
            -- Converted payments may miss their invoices by fractions of a cent.
            when balances.receivable < -0.05 then 'more was paid than invoiced'
        end as reason,
        balances.days as count_back_days
    from (
        select
            balances.*,
            counted_back.days,
            counted_back.sales_so_far
        from balances
        inner join counted_back
            on
                balances.company = counted_back.company
                and balances.month = counted_back.month
    ) as balances
    cross join has_payments
),

final as (
    select
        company,
        month,
        day_count,
        round(sales, 4) as sales_gross_amount_reporting,
        case when reason is null then round(receivable, 4) end as receivable_amount_reporting,
        case when reason is null then round(not_due, 4) end as not_due_amount_reporting,
        case when reason is null then round(receivable - not_due, 4) end
            as overdue_amount_reporting,
        case when reason is null then round(coalesce(count_back_days, 0), 4) end as dso_days,
        case when reason is null then round(receivable * day_count / nullif(sales, 0), 4) end
            as simple_dso_days,
        case when reason is null then round(not_due * day_count / nullif(sales, 0), 4) end
            as best_possible_dso_days,
        coalesce(reason, case when sales = 0 then 'no sales in this month' end) as reason
    from measured
)

select * from final
