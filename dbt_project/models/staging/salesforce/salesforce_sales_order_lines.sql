with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_order_item'), [
        'Id', 'OrderId', 'Line_Number__c', 'OrderItemNumber', 'Product2Id', 'Quantity',
        'UnitPrice', 'Discount__c', 'TotalPrice', 'IsDeleted', 'CreatedDate', 'SystemModstamp',
    ]) }}
),

{{ salesforce_product_versions() }},

lines as (
    {{ with_salesforce_product('fields') }}
),

final as (
    {{ canonical_row('sales_order_lines', {
        'sales_order_line_id': 'id',
        'sales_order_id': 'order_id',
        'line_number':
            'coalesce(' ~ salesforce_whole('line_number__c') ~ ', order_item_number)',
        'product_number': 'current_product_number',
        'quantity': 'quantity',
        'unit': 'current_unit',
        'unit_price': 'unit_price',
        'discount_pct': 'discount__c',
        'net_amount': 'total_price',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }, 'lines') }}
)

select * from final
