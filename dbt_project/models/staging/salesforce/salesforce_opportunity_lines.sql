with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_opportunity_line_item'), [
        'Id', 'OpportunityId', 'SortOrder', 'Product2Id', 'ProductCode', 'Name', 'Description',
        'Quantity', 'UnitPrice', 'Discount', 'TotalPrice', 'IsDeleted', 'CreatedDate',
        'SystemModstamp',
    ]) }}
),

{{ salesforce_product_versions() }},

lines as (
    {{ with_salesforce_product('fields') }}
),

final as (
    {{ canonical_row('opportunity_lines', {
        'opportunity_line_id': 'id',
        'opportunity_id': 'opportunity_id',
        'line_number': 'sort_order',
        'product_number': 'coalesce(product_code, current_product_number)',
        'description': 'coalesce(description, name)',
        'quantity': 'quantity',
        'unit_price': 'unit_price',
        'discount_pct': 'discount',
        'net_amount': 'total_price',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }, 'lines') }}
)

select * from final
