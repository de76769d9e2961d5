-- Per month, company and currency the steps lead from the CRM's total to the ERP's, twice: in the
-- currency of the orders and in the one that is reported in.
with

steps as (
    select
        month,
        company,
        currency,
        sum(case when step = 'erp' then -amount else amount end) as rest,
        sum(case when step = 'erp' then -amount_reporting else amount_reporting end)
            as rest_reporting,
        sum(unreported_count) as unreported_count
    from {{ ref('reconciliation_waterfall') }}
    group by month, company, currency
)

select * from steps
where rest <> 0 or (rest_reporting <> 0 and unreported_count = 0)
