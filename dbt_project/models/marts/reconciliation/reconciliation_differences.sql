{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['pair_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}],
        pre_hook="{{ affected_by_pairs() }}",
    )
}}

with

documents as (
    select * from {{ ref('reconciliation_documents') }}
    where not is_cancelled and {{ affected_by_index('pair_key') }}
),

lines as (
    select * from {{ ref('order_line_reconciliation') }}
    where {{ affected_by_index('pair_key') }}
),

pairs as (
    select
        pair_key,
        min(pair_cause) as pair_cause,
        min(pair_currency) as currency,
        min(minor_units) as minor_units,
        min(pair_fx_rate) as fx_rate,
        bool_and(is_comparable) as is_comparable,
        bool_or(is_other_currency) as is_other_currency,
        coalesce(sum(converted_amount) filter (where side = 'crm'), 0) as crm_amount,
        coalesce(sum(converted_amount) filter (where side = 'erp'), 0) as erp_amount,
        coalesce(sum(converted_amount) filter (where side = 'crm' and not is_duplicate), 0)
            as crm_single_amount,
        coalesce(sum(converted_amount) filter (where side = 'erp' and not is_duplicate), 0)
            as erp_single_amount,
        sum(tax_amount * factor) filter (where side = 'erp' and not is_duplicate) as erp_tax_amount,
        case
            when bool_and(side = 'crm' or net_amount_reporting is not null)
                then coalesce(sum(net_amount_reporting) filter (where side = 'erp'), 0)
        end as erp_amount_reporting
    from documents
    group by pair_key
),

sums_of_lines as (
    select
        pair_key,
        coalesce(sum(crm_net_amount), 0) as crm_amount,
        coalesce(sum(erp_net_amount), 0) as erp_amount,
        case
            when count(crm_exact_amount) = count(crm_line_id)
                then coalesce(sum(crm_exact_amount), 0)
        end as crm_exact_amount,
        case
            when count(erp_exact_amount) = count(erp_line_id)
                then coalesce(sum(erp_exact_amount), 0)
        end as erp_exact_amount
    from lines
    where line_status in ('matched', 'crm_only', 'erp_only')
    group by pair_key
),

-- A document that is not there, or not any more, has one cause for all of it.
whole_pairs as (
    select
        pair_key,
        pair_cause as cause,
        crm_amount - erp_amount as amount,
        case pair_cause
            when 'missing_in_erp' then 'No ERP order is linked to this sale'
            when 'missing_in_crm' then 'No sale of the CRM is linked to this order'
            when 'cancelled' then 'Cancelled on one side only'
        end as explanation
    from pairs
    where is_comparable and pair_cause is not null
),

duplicates as (
    select
        documents.*,
        case when documents.side = 'crm' then 1 else -1 end * documents.converted_amount as amount
    from documents
    inner join pairs on documents.pair_key = pairs.pair_key
    where documents.is_duplicate and pairs.is_comparable and pairs.pair_cause is null
),

parts_of_lines as (
    select
        lines.pair_key,
        lines.line_key,
        part.cause,
        part.amount,
        part.explanation
    from lines
    inner join pairs on lines.pair_key = pairs.pair_key
    {{ causes_of_lines() }}
    where
        pairs.is_comparable
        and pairs.pair_cause is null
        and lines.line_status in ('matched', 'crm_only', 'erp_only')
        and part.amount <> 0
),

-- What the headers say beyond their lines; without lines on one side, all that they differ in.
headers as (
    select
        pairs.*,
        sums_of_lines.pair_key is not null as has_lines,
        pairs.crm_single_amount - pairs.erp_single_amount
        - coalesce(sums_of_lines.crm_amount - sums_of_lines.erp_amount, 0) as amount,
        pairs.crm_single_amount in (
            sums_of_lines.crm_amount, round(sums_of_lines.crm_exact_amount, pairs.minor_units)
        )
        and pairs.erp_single_amount in (
            sums_of_lines.erp_amount, round(sums_of_lines.erp_exact_amount, pairs.minor_units)
        ) as is_rounded_once,
        coalesce(pairs.crm_single_amount <> sums_of_lines.crm_amount, true) as is_of_crm,
        coalesce(pairs.erp_single_amount <> sums_of_lines.erp_amount, true) as is_of_erp
    from pairs
    left join sums_of_lines on pairs.pair_key = sums_of_lines.pair_key
    where pairs.is_comparable and pairs.pair_cause is null
),

parts_of_headers as (
    select
        pair_key,
        case
            when is_other_currency then 'currency'
            when amount = erp_tax_amount then 'tax'
            when is_rounded_once then 'rounding'
            else 'header_only'
        end as cause,
        amount,
        case
            when is_other_currency then 'The sum converted, less the lines converted'
            when amount = erp_tax_amount then 'The total of the CRM includes the tax'
            when is_rounded_once
                then
                    case when is_of_crm then 'CRM' else 'ERP' end
                    || ' rounds the sum once, not each line'
            when has_lines
                then
                    'The total of the '
                    || case
                        when is_of_crm and is_of_erp then 'CRM and of the ERP'
                        when is_of_crm then 'CRM'
                        else 'ERP'
                    end
                    || ' is not the sum of its lines'
            else 'One side has no lines: only the totals can be compared'
        end as explanation
    from headers
    where amount <> 0
),

-- Amounts that cannot be brought into one currency stand on their own.
incomparable as (
    select
        documents.*,
        case when documents.side = 'crm' then 1 else -1 end * documents.net_amount as amount
    from documents
    inner join pairs on documents.pair_key = pairs.pair_key
    where not pairs.is_comparable
),

compared as (
    select
        pair_key || '|order|' || cause as difference_key,
        pair_key,
        null as line_key,
        null as source_system,
        null as document_id,
        'order' as level,
        cause,
        amount,
        explanation
    from whole_pairs
    where amount <> 0
    union all
    select
        pair_key || '|' || source_system || '|' || document_id || '|duplicate' as difference_key,
        pair_key,
        null as line_key,
        source_system,
        document_id,
        'document' as level,
        'duplicate' as cause,
        amount,
        'The same products and quantities as an earlier document of this sale' as explanation
    from duplicates
    where amount <> 0
    union all
    select
        pair_key || '|' || line_key || '|' || cause as difference_key,
        pair_key,
        line_key,
        null as source_system,
        null as document_id,
        'line' as level,
        cause,
        amount,
        explanation
    from parts_of_lines
    union all
    select
        pair_key || '|header|' || cause as difference_key,
        pair_key,
        null as line_key,
        null as source_system,
        null as document_id,
        'header' as level,
        cause,
        amount,
        explanation
    from parts_of_headers
),

-- In the reporting currency step by step from the ERP's amount, so that the steps add up.
stepped as (
    select
        compared.*,
        pairs.fx_rate,
        pairs.erp_amount + sum(compared.amount) over (
            partition by compared.pair_key
            order by compared.difference_key asc
            rows between unbounded preceding and current row
        ) as level_after
    from compared
    inner join pairs on compared.pair_key = pairs.pair_key
),

all_differences as (
    select
        difference_key,
        pair_key,
        line_key,
        source_system,
        document_id,
        level,
        cause,
        amount,
        null as currency,
        {{ in_reporting_currency('level_after', 'fx_rate') }}
        - {{ in_reporting_currency('(level_after - amount)', 'fx_rate') }} as amount_reporting,
        explanation
    from stepped
    union all
    select
        pair_key || '|rates|currency' as difference_key,
        pair_key,
        null as line_key,
        null as source_system,
        null as document_id,
        'rates' as level,
        'currency' as cause,
        0 as amount,
        null as currency,
        {{ in_reporting_currency('erp_amount', 'fx_rate') }} - erp_amount_reporting
            as amount_reporting,
        'The orders were converted at the rates of their own days' as explanation
    from pairs
    where
        is_comparable
        and {{ in_reporting_currency('erp_amount', 'fx_rate') }} <> erp_amount_reporting
    union all
    select
        pair_key || '|' || source_system || '|' || document_type || '|' || document_id || '|alone'
            as difference_key,
        pair_key,
        null as line_key,
        source_system,
        document_id,
        'document' as level,
        case when net_amount is null then 'unknown_amount' else 'currency' end as cause,
        amount,
        currency,
        case
            when side = 'erp' then -net_amount_reporting
            when currency = reporting_currency then amount
        end as amount_reporting,
        case
            when net_amount is null then 'The document says no amount'
            else
                'No rate is known between ' || coalesce(currency, 'no currency') || ' and '
                || coalesce(pair_currency, 'no currency') || ' on the day of the order'
        end as explanation
    from incomparable
),

crm_documents as (
    select * from {{ ref('reconciliation_documents') }}
    where side = 'crm' and place = 1 and {{ affected_by_index('pair_key') }}
),

erp_documents as (
    select * from {{ ref('reconciliation_documents') }}
    where side = 'erp' and place = 1 and {{ affected_by_index('pair_key') }}
),

named_documents as (
    select distinct
        pair_key,
        source_system,
        document_id,
        document_number,
        side,
        document_type
    from documents
),

located as (
    select
        all_differences.difference_key,
        all_differences.pair_key,
        all_differences.level,
        all_differences.cause,
        all_differences.amount::numeric(28, 4) as amount,
        coalesce(
            all_differences.currency, crm_documents.pair_currency, erp_documents.pair_currency
        ) as currency,
        all_differences.amount_reporting::numeric(28, 4) as amount_reporting,
        {{ reporting_currency() }} as reporting_currency,
        all_differences.explanation,
        coalesce(crm_documents.customer_id, erp_documents.customer_id) as customer_id,
        coalesce(erp_documents.company, crm_documents.company) as company,
        coalesce(erp_documents.document_date, crm_documents.document_date) as order_date,
        crm_documents.source_system as crm_source_system,
        coalesce(lines.crm_document_type, crm_documents.document_type) as crm_document_type,
        coalesce(
            lines.crm_document_id,
            case when named_documents.side = 'crm' then named_documents.document_id end,
            crm_documents.document_id
        ) as crm_document_id,
        coalesce(
            lines.crm_document_number,
            case when named_documents.side = 'crm' then named_documents.document_number end,
            crm_documents.document_number
        ) as crm_document_number,
        coalesce(
            lines.erp_source_system,
            case when named_documents.side = 'erp' then named_documents.source_system end,
            erp_documents.source_system
        ) as erp_source_system,
        coalesce(
            lines.erp_document_id,
            case when named_documents.side = 'erp' then named_documents.document_id end,
            erp_documents.document_id
        ) as order_id,
        coalesce(
            lines.erp_document_number,
            case when named_documents.side = 'erp' then named_documents.document_number end,
            erp_documents.document_number
        ) as order_number,
        all_differences.line_key,
        lines.crm_line_number,
        lines.erp_line_number,
        coalesce(lines.erp_product_number, lines.crm_product_number) as product_number
    from all_differences
    left join crm_documents on all_differences.pair_key = crm_documents.pair_key
    left join erp_documents on all_differences.pair_key = erp_documents.pair_key
    left join lines
        on
            all_differences.pair_key = lines.pair_key
            and all_differences.line_key = lines.line_key
    left join named_documents
        on
            all_differences.pair_key = named_documents.pair_key
            and all_differences.source_system = named_documents.source_system
            and all_differences.document_id = named_documents.document_id
            and (all_differences.level = 'document') is true
)

select * from located
