{{ config(materialized='table', contract={'enforced': true}, meta={'reads_in_parallel': true}) }}

with

documents as (
    select
        *,
        date_trunc('month', coalesce(order_date, crm_date, erp_date))::date as month,
        crm_document_id is not null and not {{ is_called_off('crm_status') }}
            as is_crm_sale,
        order_id is not null and not {{ is_called_off('erp_status') }} as is_erp_order,
        coalesce(company, 'unknown') as known_company,
        coalesce(currency, 'unknown') as known_currency
    from {{ ref('order_reconciliation') }}
    where coalesce(order_date, crm_date, erp_date) is not null
),

-- What was cancelled on one side has no line there to agree with.
pairs as (
    select
        *,
        link_status = 'linked' and is_crm_sale and is_erp_order as has_lines_to_compare
    from documents
),

final as (
    select
        pairs.month,
        pairs.known_company as company,
        pairs.known_currency as currency,
        count(*) filter (where pairs.is_crm_sale) as crm_sale_count,
        count(*) filter (where pairs.is_crm_sale and pairs.link_status = 'linked')
            as crm_linked_count,
        count(*) filter (where pairs.is_erp_order) as erp_order_count,
        count(*) filter (where pairs.is_erp_order and pairs.link_status = 'linked')
            as erp_linked_count,
        sum(pairs.crm_net_amount_reporting) filter (where pairs.is_crm_sale)
            as crm_amount_reporting,
        sum(pairs.crm_net_amount_reporting) filter (
            where pairs.is_crm_sale and pairs.link_status = 'linked'
        ) as crm_linked_amount_reporting,
        sum(pairs.erp_net_amount_reporting) filter (where pairs.is_erp_order)
            as erp_amount_reporting,
        sum(pairs.erp_net_amount_reporting) filter (
            where pairs.is_erp_order and pairs.link_status = 'linked'
        ) as erp_linked_amount_reporting,
        sum(pairs.difference_amount_reporting) as difference_amount_reporting,
        sum(abs(pairs.difference_amount_reporting)) as absolute_difference_reporting,
        count(*) filter (where pairs.difference_amount_reporting is null) as unknown_count,
        coalesce(sum(pairs.line_count) filter (where pairs.has_lines_to_compare), 0)::bigint
            as linked_line_count,
        coalesce(
            sum(pairs.agreeing_line_count) filter (where pairs.has_lines_to_compare), 0
        )::bigint as agreeing_line_count
    from pairs
    group by pairs.month, pairs.known_company, pairs.known_currency
)

select * from final
