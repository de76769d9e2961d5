with fields as (
    {{ vendor_fields(source('microsoft', 'business_central_item'), [
        'id', 'number', 'displayName', 'displayName2', 'itemCategoryCode', 'blocked', 'unitPrice',
        'unitCost', 'baseUnitOfMeasureCode', '_localCurrency', 'lastModifiedDateTime',
    ]) }}
),

final as (
    {{ canonical_row('products', {
        'product_id': 'lower(id)',
        'product_number': 'number',
        'name': 'display_name',
        'unit': 'base_unit_of_measure_code',
        'list_price': 'unit_price',
        'currency': '_local_currency',
        'is_active': "case blocked when 'true' then 'false' when 'false' then 'true' end",
        'description': 'display_name2',
        'category': 'item_category_code',
        'standard_cost': 'unit_cost',
        'modified_at': business_central_date('last_modified_date_time'),
    }) }}
)

select * from final
