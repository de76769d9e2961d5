with {{ business_central_lines(
    source('microsoft', 'business_central_sales_shipment'), 'salesShipmentLines',
    ['orderNumber'],
    ['sequence', 'lineType', 'lineObjectNumber', 'unitOfMeasureCode', 'quantity'],
) }},

{{ business_central_order_numbers() }},

shipment_lines as (
    select
        lines.*,
        order_numbers.order_id
    from lines
    left join order_numbers
        on order_numbers.source_system = lines.source_system
            and order_numbers.company_id = lines.company_id
            and order_numbers.order_number = lines.document_order_number
),

final as (
    {{ canonical_row('shipment_lines', {
        'shipment_line_id': 'line_id',
        'shipment_id': 'lower(document_id)',
        'order_line_id': "order_id || '/' || sequence",
        'product_number': 'line_object_number',
        'quantity': 'quantity',
        'unit': 'unit_of_measure_code',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'shipment_lines') }}
)

select * from final
