{#- A person belongs to the customer whose card its company's contact stands behind. Contacts that
    are companies are the customers themselves. -#}
with fields as (
    {{ vendor_fields(source('microsoft', 'business_central_contact'), [
        'id', '_companyId', 'type', 'displayName', 'companyNumber', 'email', 'phoneNumber',
        'mobilePhoneNumber', 'jobTitle', 'addressLine1', 'city', 'state', 'postalCode', 'country',
        'lastModifiedDateTime',
    ]) }}
),

customer_rows as (
    {{ vendor_fields(source('microsoft', 'business_central_customer'), [
        'id', '_companyId',
    ], objects=['contactsInformation']) }}
),

links as (
    select distinct on (customer_rows.source_system, customer_rows._company_id, link.contact_number)
        customer_rows.source_system,
        customer_rows._company_id as company_id,
        link.contact_number,
        lower(customer_rows.id) as customer_id
    from customer_rows
    cross join lateral json_array_elements(
        case
            when json_typeof(customer_rows.contacts_information) = 'array'
                then customer_rows.contacts_information
            else '[]'::json
        end
    ) as element (one)
    cross join lateral (
        select nullif(element.one ->> 'contactNumber', '') as contact_number
    ) as link
    where link.contact_number is not null
    order by
        customer_rows.source_system,
        customer_rows._company_id,
        link.contact_number,
        customer_rows.raw_id desc
),

people as (
    select
        fields.*,
        links.customer_id
    from fields
    left join links
        on links.source_system = fields.source_system
            and links.company_id = fields._company_id
            and links.contact_number = fields.company_number
    where fields.type is distinct from 'Company'
),

final as (
    {{ canonical_row('contacts', {
        'contact_id': 'lower(id)',
        'first_name': "nullif(regexp_replace(display_name, '\\s*\\S+$', ''), '')",
        'last_name': "substring(display_name from '\\S+$')",
        'email': 'email',
        'phone': 'phone_number',
        'mobile_phone': 'mobile_phone_number',
        'job_title': 'job_title',
        'role': word_for('job_title', {
            'billing': 'billing', 'account': 'billing', 'finance': 'billing',
            'delivery': 'delivery', 'logistic': 'delivery', 'warehouse': 'delivery',
            'sales': 'sales', 'support': 'support',
        }, "'other'"),
        'street': 'address_line1',
        'city': 'city',
        'region': 'state',
        'postal_code': 'postal_code',
        'country': 'country',
        'customer_id': 'customer_id',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'people') }}
)

select * from final
