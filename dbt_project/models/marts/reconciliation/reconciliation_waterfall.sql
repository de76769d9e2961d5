{{
    config(
        materialized='table',
        contract={'enforced': true},
        meta={'reads_in_parallel': true},
    )
}}

with

orders as (
    select
        pair_key,
        company,
        currency,
        crm_document_count,
        order_count,
        crm_net_amount,
        crm_net_amount_reporting,
        erp_net_amount,
        erp_net_amount_reporting,
        difference_amount,
        date_trunc('month', coalesce(crm_date, erp_date))::date as crm_month,
        date_trunc('month', coalesce(erp_date, crm_date))::date as erp_month
    from {{ ref('order_reconciliation') }}
),

documents as (
    select * from {{ ref('reconciliation_documents') }}
    where not is_comparable and not is_cancelled
),

differences as (
    select
        orders.erp_month as month,
        differences.company,
        differences.currency,
        differences.cause,
        differences.amount,
        differences.amount_reporting
    from {{ ref('reconciliation_differences') }} as differences
    inner join orders on differences.pair_key = orders.pair_key
),

-- Amounts that cannot be brought into one currency stand in the month and currency of their own.
sides as (
    select
        crm_month as month,
        company,
        currency,
        'crm' as step,
        crm_net_amount as amount,
        crm_net_amount_reporting as amount_reporting,
        crm_document_count as document_count
    from orders
    where crm_document_count > 0 and difference_amount is not null
    union all
    select
        erp_month as month,
        company,
        currency,
        'erp' as step,
        erp_net_amount as amount,
        erp_net_amount_reporting as amount_reporting,
        order_count as document_count
    from orders
    where order_count > 0 and difference_amount is not null
    union all
    select
        orders.erp_month as month,
        orders.company,
        coalesce(documents.currency, documents.pair_currency) as currency,
        documents.side as step,
        documents.net_amount as amount,
        case
            when documents.side = 'erp' then documents.net_amount_reporting
            when documents.currency = documents.reporting_currency then documents.net_amount
        end as amount_reporting,
        1 as document_count
    from documents
    inner join orders on documents.pair_key = orders.pair_key
),

causes as (
    select
        month,
        company,
        currency,
        cause as step,
        -amount as amount,
        -amount_reporting as amount_reporting,
        1 as document_count
    from differences
),

moved as (
    select *
    from orders
    where
        crm_month <> erp_month
        and crm_document_count > 0
        and order_count > 0
        and difference_amount is not null
        and crm_net_amount <> 0
),

timing as (
    select
        crm_month as month,
        company,
        currency,
        'timing' as step,
        -crm_net_amount as amount,
        -crm_net_amount_reporting as amount_reporting,
        1 as document_count
    from moved
    union all
    select
        erp_month as month,
        company,
        currency,
        'timing' as step,
        crm_net_amount as amount,
        crm_net_amount_reporting as amount_reporting,
        1 as document_count
    from moved
),

all_steps as (
    select * from sides
    union all
    select * from causes
    union all
    select * from timing
),

summed as (
    select
        month,
        company,
        currency,
        step,
        sum(amount) as amount,
        sum(amount_reporting) as amount_reporting,
        sum(document_count)::integer as document_count,
        (count(*) - count(amount_reporting))::integer as unreported_count
    from all_steps
    group by month, company, currency, step
),

periods as (
    select distinct
        month,
        company,
        currency
    from summed
),

-- Both ends are there even where one side has nothing.
ends as (
    select
        periods.*,
        both_ends.step
    from periods
    cross join (values ('crm'), ('erp')) as both_ends (step)
),

complete as (
    select * from summed
    union all
    select
        ends.month,
        ends.company,
        ends.currency,
        ends.step,
        0 as amount,
        0 as amount_reporting,
        0 as document_count,
        0 as unreported_count
    from ends
    left join summed
        on
            ends.step = summed.step
            and ends.month is not distinct from summed.month
            and ends.company is not distinct from summed.company
            and ends.currency is not distinct from summed.currency
    where summed.step is null
),

numbered as (
    select
        *,
        row_number() over (
            partition by month, company, currency
            order by
                case step when 'crm' then 0 when 'erp' then 2 else 1 end asc,
                {{ waterfall_order('step') }} asc,
                step asc
        ) as step_number
    from complete
),

steps as (
    select
        concat_ws(
            '|',
            coalesce(to_char(month, 'YYYY-MM'), '-'),
            coalesce(company, '-'),
            coalesce(currency, '-'),
            step
        ) as waterfall_key,
        month,
        company,
        currency,
        step_number::integer as step_number,
        step,
        amount::numeric(28, 4) as amount,
        case
            when step = 'erp' then amount
            else
                sum(coalesce(amount, 0)) over (
                    partition by month, company, currency
                    order by step_number asc
                    rows between unbounded preceding and current row
                )
        end::numeric(28, 4) as amount_after,
        {{ reporting_currency() }} as reporting_currency,
        amount_reporting::numeric(28, 4) as amount_reporting,
        document_count,
        unreported_count
    from numbered
)

select * from steps
