with {{ business_central_lines(
    source('microsoft', 'business_central_sales_credit_memo'), 'salesCreditMemoLines',
    ['status', 'customerReturnReasonId'],
    ['sequence', 'lineType', 'lineObjectNumber', 'unitOfMeasureCode', 'quantity', 'netAmount'],
) }},

{{ business_central_reasons() }},

returned as (
    select lines.*
    from lines
    left join reasons
        on reasons.source_system = lines.source_system
            and reasons.company_id = lines.company_id
            and reasons.reason_id = lower(lines.document_customer_return_reason_id)
    where lines.operation = 'delete'
        or (reasons.reason = 'return' and lines.document_status not in ('Draft', 'In_x0020_Review'))
),

final as (
    {{ canonical_row('return_lines', {
        'return_line_id': 'line_id',
        'return_id': 'lower(document_id)',
        'product_number': 'line_object_number',
        'quantity': scaled('quantity', -1),
        'unit': 'unit_of_measure_code',
        'net_amount': scaled('net_amount', -1),
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'returned') }}
)

select * from final
