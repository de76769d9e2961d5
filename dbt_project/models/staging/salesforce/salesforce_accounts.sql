with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_account'), [
        'Id', 'Name', 'AccountNumber', 'ParentId', 'Type', 'Industry', 'Website', 'Phone',
        'Email__c', 'PersonEmail', 'Tax_Id__c', 'Registration_Id__c', 'ERP_Id__c', 'BillingStreet',
        'BillingCity', 'BillingState', 'BillingStateCode', 'BillingPostalCode', 'BillingCountry',
        'BillingCountryCode', 'ShippingStreet', 'ShippingCity', 'ShippingState',
        'ShippingStateCode', 'ShippingPostalCode', 'ShippingCountry', 'ShippingCountryCode',
        'OwnerId', 'CurrencyIsoCode', 'MasterRecordId', 'IsDeleted', 'CreatedDate',
        'SystemModstamp',
    ], objects=['BillingAddress', 'ShippingAddress']) }}
),

final as (
    {{ canonical_row('accounts', {
        'account_id': 'id',
        'name': 'name',
        'account_number': 'account_number',
        'parent_account_id': 'parent_id',
        'type': word_for('type', {
            'prospect': 'prospect', 'customer': 'customer', 'channel partner': 'partner',
            'partner': 'partner', 'installation partner': 'partner',
            'technology partner': 'partner', 'reseller': 'partner',
        }, "'other'"),
        'industry': 'industry',
        'website': 'website',
        'phone': 'phone',
        'email': 'coalesce(email__c, person_email)',
        'tax_id': 'tax_id__c',
        'registration_id': 'registration_id__c',
        'erp_customer_id': 'erp_id__c',
        'billing_street': salesforce_address('billing', 'street'),
        'billing_city': salesforce_address('billing', 'city'),
        'billing_region': salesforce_address('billing', 'state'),
        'billing_postal_code': salesforce_address('billing', 'postal_code'),
        'billing_country': salesforce_address('billing', 'country'),
        'shipping_street': salesforce_address('shipping', 'street'),
        'shipping_city': salesforce_address('shipping', 'city'),
        'shipping_region': salesforce_address('shipping', 'state'),
        'shipping_postal_code': salesforce_address('shipping', 'postal_code'),
        'shipping_country': salesforce_address('shipping', 'country'),
        'owner_id': 'owner_id',
        'currency': 'currency_iso_code',
        'merged_into_id': 'master_record_id',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
