{#- A line is named by its order and its number, which shipments and invoices keep; its own id is
    not known any more once it is posted. -#}
with {{ business_central_lines(
    source('business_central', 'business_central_sales_order'), 'salesOrderLines',
    ['pricesIncludeTax'],
    ['sequence', 'lineType', 'lineObjectNumber', 'description', 'unitOfMeasureCode', 'quantity',
     'unitPrice', 'discountPercent', 'netAmount', 'netTaxAmount', 'taxPercent'],
) }},

final as (
    {{ canonical_row('order_lines', {
        'order_line_id': "lower(document_id) || '/' || sequence",
        'order_id': 'lower(document_id)',
        'line_number': 'sequence',
        'product_number': 'line_object_number',
        'description': 'description',
        'quantity': 'quantity',
        'unit': 'unit_of_measure_code',
        'unit_price': business_central_price(),
        'discount_pct': 'discount_percent',
        'net_amount': 'net_amount',
        'tax_amount': 'net_tax_amount',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'lines') }}
)

select * from final
