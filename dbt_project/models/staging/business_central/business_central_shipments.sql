with fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_shipment'), [
        'number', 'orderNumber', 'customerId', 'postingDate', 'shipmentMethodCode',
    ]) }}
),

{{ business_central_order_numbers() }},

shipments as (
    select
        fields.*,
        order_numbers.order_id
    from fields
    left join order_numbers
        on order_numbers.source_system = fields.source_system
            and order_numbers.company_id = fields._company_id
            and order_numbers.order_number = fields.order_number
),

final as (
    {{ canonical_row('shipments', {
        'shipment_id': 'lower(id)',
        'shipment_number': 'number',
        'order_id': 'order_id',
        'customer_id': business_central_id('customer_id'),
        'shipped_at': business_central_date('posting_date'),
        'carrier': 'shipment_method_code',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'shipments') }}
)

select * from final
