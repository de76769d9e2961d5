{#- API v2.0 gives out no return receipts: what comes back is known by its credit memo. -#}
with fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_credit_memo'), [
        'number', 'customerId', 'creditMemoDate', 'status', 'customerReturnReasonId',
    ]) }}
),

{{ business_central_reasons() }},

returned as (
    select
        fields.*,
        reasons.reason
    from fields
    left join reasons
        on reasons.source_system = fields.source_system
            and reasons.company_id = fields._company_id
            and reasons.reason_id = lower(fields.customer_return_reason_id)
    where fields.operation = 'delete'
        or (reasons.reason = 'return' and fields.status not in ('Draft', 'In_x0020_Review'))
),

final as (
    {{ canonical_row('returns', {
        'return_id': 'lower(id)',
        'return_number': 'number',
        'customer_id': business_central_id('customer_id'),
        'return_date': business_central_date('credit_memo_date'),
        'reason': 'reason',
        'status': 'lower(status)',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'returned') }}
)

select * from final
