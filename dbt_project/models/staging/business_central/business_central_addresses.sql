{#- API v2.0 gives out one address of a customer, that of its card. -#}
with fields as (
    {{ vendor_fields(source('microsoft', 'business_central_customer'), [
        'id', 'displayName', 'addressLine1', 'addressLine2', 'city', 'state', 'country',
        'postalCode', 'lastModifiedDateTime',
    ]) }}
),

final as (
    {{ canonical_row('addresses', {
        'address_id': "lower(id) || '/card'",
        'customer_id': 'lower(id)',
        'role': "'both'",
        'addressee': 'display_name',
        'street': 'address_line1',
        'street2': 'address_line2',
        'city': 'city',
        'region': 'state',
        'postal_code': 'postal_code',
        'country': 'country',
        'is_default': "'true'",
        'modified_at': business_central_date('last_modified_date_time'),
    }) }}
)

select * from final
