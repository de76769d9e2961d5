{#- Posted invoices, and credit memos with their sign turned. A draft is no invoice yet. What is
    open of a credit memo is not given out: all of it until it is settled. -#}
with invoice_fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_invoice'), [
        'number', 'customerId', 'orderId', 'orderNumber', 'invoiceDate', 'dueDate', 'status',
        'currencyCode', 'totalAmountExcludingTax', 'totalTaxAmount', 'totalAmountIncludingTax',
        'remainingAmount', '_localCurrency',
    ]) }}
),

memo_fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_credit_memo'), [
        'number', 'customerId', 'invoiceId', 'creditMemoDate', 'dueDate', 'status', 'currencyCode',
        'totalAmountExcludingTax', 'totalTaxAmount', 'totalAmountIncludingTax',
        'customerReturnReasonId', '_localCurrency',
    ]) }}
),

{{ business_central_order_numbers() }},

{{ business_central_reasons() }},

documents as (
    select
        invoice_fields.source_system,
        invoice_fields.kind,
        invoice_fields.batch_id,
        invoice_fields.raw_id * 2 as raw_id,
        invoice_fields.operation,
        invoice_fields.payload,
        lower(invoice_fields.id) as invoice_id,
        invoice_fields._company_name as company_name,
        invoice_fields.last_modified_date_time,
        invoice_fields.number,
        'invoice' as type,
        null as reason,
        null as corrected_id,
        {{ business_central_id('invoice_fields.customer_id') }} as customer_id,
        coalesce(
            {{ business_central_id('invoice_fields.order_id') }}, order_numbers.order_id
        ) as order_id,
        invoice_fields.invoice_date,
        invoice_fields.due_date,
        {{ business_central_word('invoice_fields.status') }} as status,
        coalesce(invoice_fields.currency_code, invoice_fields._local_currency) as currency_code,
        invoice_fields.total_amount_excluding_tax as net_amount,
        invoice_fields.total_tax_amount as tax_amount,
        invoice_fields.total_amount_including_tax as gross_amount,
        invoice_fields.remaining_amount as open_amount
    from invoice_fields
    left join order_numbers
        on order_numbers.source_system = invoice_fields.source_system
            and order_numbers.company_id = invoice_fields._company_id
            and order_numbers.order_number = invoice_fields.order_number
    union all
    select
        memo_fields.source_system,
        memo_fields.kind,
        memo_fields.batch_id,
        memo_fields.raw_id * 2 + 1,
        memo_fields.operation,
        memo_fields.payload,
        lower(memo_fields.id),
        memo_fields._company_name,
        memo_fields.last_modified_date_time,
        memo_fields.number,
        'credit_note',
        case when memo_fields.operation = 'upsert' then coalesce(reasons.reason, 'other') end,
        {{ business_central_id('memo_fields.invoice_id') }},
        {{ business_central_id('memo_fields.customer_id') }},
        null,
        memo_fields.credit_memo_date,
        memo_fields.due_date,
        {{ business_central_word('memo_fields.status') }},
        coalesce(memo_fields.currency_code, memo_fields._local_currency),
        {{ scaled('memo_fields.total_amount_excluding_tax', -1) }},
        {{ scaled('memo_fields.total_tax_amount', -1) }},
        {{ scaled('memo_fields.total_amount_including_tax', -1) }},
        case
            when memo_fields.status in ('Paid', 'Canceled', 'Corrective') then '0'
            else {{ scaled('memo_fields.total_amount_including_tax', -1) }}
        end
    from memo_fields
    left join reasons
        on reasons.source_system = memo_fields.source_system
            and reasons.company_id = memo_fields._company_id
            and reasons.reason_id = lower(memo_fields.customer_return_reason_id)
),

posted as (
    select *
    from documents
    where (status in ('Draft', 'In Review')) is not true
),

final as (
    {{ canonical_row('invoices', {
        'invoice_id': 'invoice_id',
        'invoice_number': 'number',
        'type': "case when operation = 'upsert' then type end",
        'reason': 'reason',
        'corrects_invoice_id': 'corrected_id',
        'customer_id': 'customer_id',
        'order_id': 'order_id',
        'invoice_date': business_central_date('invoice_date'),
        'due_date': business_central_date('due_date'),
        'status': 'lower(status)',
        'currency': 'currency_code',
        'net_amount': 'net_amount',
        'tax_amount': 'tax_amount',
        'gross_amount': 'gross_amount',
        'open_amount': 'open_amount',
        'company': 'company_name',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'posted') }}
)

select * from final
