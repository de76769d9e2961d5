with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_quote_line_item'), [
        'Id', 'QuoteId', 'Line_Number__c', 'SortOrder', 'Product2Id', 'Quantity', 'ListPrice',
        'UnitPrice', 'Discount', 'TotalPrice', 'IsDeleted', 'CreatedDate', 'SystemModstamp',
    ]) }}
),

{{ salesforce_product_versions() }},

lines as (
    {{ with_salesforce_product('fields') }}
),

final as (
    {{ canonical_row('quote_lines', {
        'quote_line_id': 'id',
        'quote_id': 'quote_id',
        'line_number': 'coalesce(' ~ salesforce_whole('line_number__c') ~ ', sort_order)',
        'product_number': 'current_product_number',
        'quantity': 'quantity',
        'unit': 'current_unit',
        'list_price': 'list_price',
        'unit_price': 'unit_price',
        'discount_pct': 'discount',
        'net_amount': 'total_price',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }, 'lines') }}
)

select * from final
