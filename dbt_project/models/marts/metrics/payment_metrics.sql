{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'payment_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        meta={'rows_of': 'stg_payments'},
        indexes=[{'columns': ['paid_date']}],
        pre_hook="{{ affected_payment_metrics() }}",
    )
}}

with

payments as (
    select
        *,
        {{ utc_date('paid_at') }} as paid_date
    from {{ ref('stg_payments') }}
    where not is_deleted and {{ only_affected(['source_system', 'payment_id']) }}
),

joined as (
    select
        payments.source_system,
        payments.payment_id,
        payments.paid_at,
        payments.paid_date,
        payments.customer_id as erp_customer_id,
        coalesce(crosswalk.customer_id, invoices.customer_id) as customer_id,
        payments.invoice_id,
        invoices.invoice_number,
        invoices.company,
        payments.amount,
        coalesce(payments.currency, invoices.currency) as currency,
        case
            when payments.invoice_id is null then 'names no invoice'
            when invoices.invoice_id is null then 'names an invoice that is not there'
            when {{ is_called_off('invoices.status') }} then 'names an invoice that was cancelled'
            when
                coalesce(payments.customer_id <> invoices.erp_customer_id, false)
                and coalesce(crosswalk.customer_id, '') <> coalesce(invoices.customer_id, '')
                then 'names an invoice of another customer'
            when coalesce(payments.currency <> invoices.currency, false)
                then 'is in another currency than its invoice'
        end as reason_not_applied
    from payments
    left join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            payments.source_system = crosswalk.source_system
            and payments.customer_id = crosswalk.source_key
            and crosswalk.entity = 'customers'
            and crosswalk.is_current
    left join {{ ref('invoices') }} as invoices
        on
            payments.source_system = invoices.source_system
            and payments.invoice_id = invoices.invoice_id
),

conversions as (
    select * from {{ conversions('joined', 'paid_date') }}
),

converted as (
    select
        joined.*,
        {{ fx_rate('joined') }} as fx_rate
    from joined
    left join conversions
        on
            joined.source_system = conversions.source_system
            and joined.currency = conversions.currency
            and joined.paid_date = conversions.rate_date
),

measured as (
    select
        source_system,
        payment_id,
        paid_at,
        paid_date,
        customer_id,
        erp_customer_id,
        company,
        invoice_id,
        invoice_number,
        amount,
        currency,
        {{ reporting_currency() }} as reporting_currency,
        fx_rate,
        {{ in_reporting_currency('amount', 'fx_rate') }} as amount_reporting,
        reason_not_applied is null as is_applied,
        reason_not_applied
    from converted
)

select * from measured
