{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'invoice_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        meta={'rows_of': 'stg_invoices'},
        indexes=[{'columns': ['invoice_date']}],
        pre_hook="{{ affected_invoice_metrics() }}",
    )
}}

with

invoices as (
    select * from {{ ref('invoices') }} as invoices
    where
        not {{ is_called_off('invoices.status') }}
        and {{ is_counted_customer('invoices') }}
        and {{ only_affected(['source_system', 'invoice_id']) }}
),

corrections as (
    select
        invoices.source_system,
        invoices.invoice_id,
        min(credit_notes.invoice_date) as first_correction_date
    from invoices
    inner join {{ ref('invoices') }} as credit_notes
        on
            invoices.source_system = credit_notes.source_system
            and invoices.invoice_id = credit_notes.corrects_invoice_id
    where
        credit_notes.type = 'credit_note'
        and credit_notes.reason = 'price_correction'
        and not {{ is_called_off('credit_notes.status') }}
    group by invoices.source_system, invoices.invoice_id
),

-- The goods that an invoice bills left with the last shipment before it, or the first one after it.
confirmations as (
    select
        invoices.source_system,
        invoices.invoice_id,
        coalesce(
            max({{ utc_date('shipments.shipped_at') }}) filter (
                where {{ utc_date('shipments.shipped_at') }} <= invoices.invoice_date
            ),
            min({{ utc_date('shipments.shipped_at') }})
        ) as shipped_date
    from invoices
    inner join {{ ref('shipments') }} as shipments
        on
            invoices.source_system = shipments.source_system
            and invoices.order_id = shipments.order_id
    where invoices.type = 'invoice'
    group by invoices.source_system, invoices.invoice_id
),

measured as (
    select
        invoices.source_system,
        invoices.invoice_id,
        invoices.invoice_number,
        invoices.type,
        invoices.reason,
        invoices.invoice_date,
        invoices.customer_id,
        invoices.company,
        invoices.order_id,
        invoices.net_amount_reporting,
        invoices.type = 'invoice' as is_invoice,
        case when invoices.type = 'invoice' then invoices.net_amount_reporting end
            as invoiced_amount_reporting,
        case
            when invoices.type = 'credit_note' and invoices.reason = 'return'
                then -invoices.net_amount_reporting
        end as return_amount_reporting,
        case
            when
                invoices.type = 'credit_note'
                and invoices.reason in ('price_correction', 'goodwill')
                then -invoices.net_amount_reporting
        end as allowance_amount_reporting,
        case
            when invoices.type = 'invoice'
                then coalesce(
                    corrections.first_correction_date
                    <= invoices.invoice_date
                    + {{ metric_setting('billing_maturity_days') }}::integer,
                    false
                )
        end as is_corrected,
        invoices.invoice_date - confirmations.shipped_date as invoice_lag_days
    from invoices
    left join corrections
        on
            invoices.source_system = corrections.source_system
            and invoices.invoice_id = corrections.invoice_id
    left join confirmations
        on
            invoices.source_system = confirmations.source_system
            and invoices.invoice_id = confirmations.invoice_id
)

select * from measured
