with {{ business_central_lines(
    source('microsoft', 'business_central_sales_quote'), 'salesQuoteLines',
    ['number'],
    ['sequence', 'lineType', 'lineObjectNumber', 'unitOfMeasureCode', 'quantity', 'unitPrice',
     'discountPercent', 'netAmount'],
) }},

final as (
    {{ canonical_row('quote_lines', {
        'quote_line_id': 'line_id',
        'quote_id': 'lower(document_id)',
        'line_number': business_central_line_number('sequence'),
        'product_number': 'line_object_number',
        'quantity': 'quantity',
        'unit': 'unit_of_measure_code',
        'unit_price': 'unit_price',
        'discount_pct': 'discount_percent',
        'net_amount': 'net_amount',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'lines') }}
)

select * from final
