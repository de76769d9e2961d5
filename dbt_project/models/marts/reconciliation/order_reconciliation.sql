{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['pair_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}, {'columns': ['customer_id']}],
        pre_hook="{{ affected_by_pairs() }}",
    )
}}

with

documents as (
    select * from {{ ref('reconciliation_documents') }}
    where {{ affected_by_index('pair_key') }}
),

differences as (
    select * from {{ ref('reconciliation_differences') }}
    where {{ affected_by_index('pair_key') }}
),

-- What of the lines agrees in product, quantity and unit; repeated documents are compared no more.
lines as (
    select
        pair_key,
        count(*)::integer as line_count,
        count(*) filter (
            where
            line_status = 'matched'
            and coalesce(quantity_difference, 0) = 0
            and coalesce(unit_difference, 0) = 0
        )::integer as agreeing_line_count
    from {{ ref('order_line_reconciliation') }}
    where
        line_status in ('matched', 'crm_only', 'erp_only')
        and {{ affected_by_index('pair_key') }}
    group by pair_key
),

rebuilt_orders as (
    select
        source_system,
        order_id
    from {{ ref('orders') }}
    where is_rebuilt
),

causes as (
    select
        pair_key,
        cause,
        sum(amount) as amount,
        sum(amount_reporting) as amount_reporting,
        count(*) = count(amount_reporting) as is_reported,
        -- Rates of other days move no cent of the amounts themselves.
        bool_or(level <> 'rates') as is_cause
    from differences
    group by pair_key, cause
),

explained as (
    select
        pair_key,
        sum(amount) as amount,
        case when bool_and(is_reported) then sum(amount_reporting) end as amount_reporting,
        array_agg(cause order by abs(amount) desc nulls last, cause asc) filter (
            where is_cause
        ) as causes
    from causes
    group by pair_key
),

pairs as (
    select
        pair_key,
        min(signature) as documents_signature,
        max(customer_id) as customer_id,
        max(company) as company,
        max(pair_currency) as currency,
        max(pair_fx_rate) as fx_rate,
        max(reporting_currency) as reporting_currency,
        bool_and(is_comparable) as is_comparable,
        bool_or(is_other_currency) as is_other_currency,
        max(link_method) filter (where side = 'erp' and place = 1) as link_method,
        {{ sides_of_pairs() }}
        case
            when count(distinct currency) filter (where side = 'crm') <= 1
                then sum(net_amount) filter (where side = 'crm' and not is_cancelled)
        end as crm_own_amount,
        case
            when bool_and(side = 'crm' or is_cancelled or net_amount_reporting is not null)
                then
                    sum(net_amount_reporting) filter (where side = 'erp' and not is_cancelled)
        end as erp_amount_reporting
    from documents
    group by pair_key
),

totals as (
    select
        *,
        -- What is cancelled, or not there, counts as nothing; what is not known stays unknown.
        case
            when crm_counted = 0 then 0
            when is_comparable then crm_amount
        end as crm_net_amount,
        case
            when erp_counted = 0 then 0
            when is_comparable then erp_amount
        end as erp_net_amount,
        case
            when erp_counted = 0 then 0
            else erp_amount_reporting
        end as erp_net_amount_reporting
    from pairs
),

converted as (
    select
        *,
        {{ in_reporting_currency('crm_net_amount', 'fx_rate') }} as crm_net_amount_reporting
    from totals
),

reconciled as (
    select
        converted.pair_key,
        case
            when converted.erp_document_count = 0 then 'crm_only'
            when converted.crm_document_count = 0 then 'erp_only'
            else 'linked'
        end as link_status,
        converted.link_method,
        converted.customer_id,
        converted.company,
        coalesce(converted.erp_document_date, converted.crm_document_date) as order_date,
        converted.crm_source_system,
        converted.crm_document_type,
        converted.crm_document_id,
        converted.crm_document_number,
        converted.crm_document_ids,
        converted.crm_document_numbers,
        converted.crm_document_count::integer as crm_document_count,
        converted.crm_document_date as crm_date,
        converted.crm_created_at,
        converted.crm_status,
        converted.crm_currency,
        converted.erp_source_system,
        converted.erp_document_id as order_id,
        converted.erp_document_number as order_number,
        converted.erp_document_ids as order_ids,
        converted.erp_document_numbers as order_numbers,
        converted.erp_document_count::integer as order_count,
        converted.erp_document_date as erp_date,
        converted.erp_created_at,
        converted.erp_status,
        converted.erp_currency,
        converted.currency,
        converted.crm_own_amount::numeric(28, 4) as crm_own_amount,
        converted.crm_net_amount::numeric(28, 4) as crm_net_amount,
        converted.erp_net_amount::numeric(28, 4) as erp_net_amount,
        (converted.crm_net_amount - converted.erp_net_amount)::numeric(28, 4)
            as difference_amount,
        case when converted.is_comparable then coalesce(explained.amount, 0) end::numeric(28, 4)
            as explained_amount,
        (
            converted.crm_net_amount - converted.erp_net_amount - coalesce(explained.amount, 0)
        )::numeric(28, 4) as unexplained_amount,
        case
            when explained.causes is not null then explained.causes[1]
            when
                converted.crm_counted > 0
                and converted.erp_counted > 0
                and date_trunc('month', converted.crm_document_date)
                <> date_trunc('month', converted.erp_document_date)
                -- Whoever put the order together from its invoices knows their dates only.
                and rebuilt_orders.order_id is null
                then 'timing'
        end as cause,
        coalesce(explained.causes, array[]::text[]) as causes,
        converted.reporting_currency,
        converted.fx_rate,
        converted.crm_net_amount_reporting::numeric(28, 4) as crm_net_amount_reporting,
        converted.erp_net_amount_reporting::numeric(28, 4) as erp_net_amount_reporting,
        (converted.crm_net_amount_reporting - converted.erp_net_amount_reporting)::numeric(28, 4)
            as difference_amount_reporting,
        case
            when converted.crm_net_amount_reporting - converted.erp_net_amount_reporting is not null
                then
                    converted.crm_net_amount_reporting - converted.erp_net_amount_reporting
                    - case
                        when explained.pair_key is null then 0 else explained.amount_reporting
                    end
        end::numeric(28, 4) as unexplained_amount_reporting,
        case
            when explained.causes[1] in ('missing_in_erp', 'missing_in_crm')
                then
                    coalesce(
                        (
                            coalesce(converted.crm_created_at, converted.erp_created_at)
                            at time zone 'UTC'
                        )::date,
                        converted.erp_document_date,
                        converted.crm_document_date
                    )
        end as orphan_since,
        null::integer as age_days,
        null::text as age_bucket,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.agreeing_line_count, 0) as agreeing_line_count,
        converted.documents_signature
    from converted
    left join explained on converted.pair_key = explained.pair_key
    left join lines on converted.pair_key = lines.pair_key
    left join rebuilt_orders
        on
            converted.erp_source_system = rebuilt_orders.source_system
            and converted.erp_document_id = rebuilt_orders.order_id
)

select * from reconciled
