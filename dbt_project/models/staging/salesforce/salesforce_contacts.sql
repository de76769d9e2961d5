with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_contact'), [
        'Id', 'AccountId', 'FirstName', 'LastName', 'Email', 'Phone', 'MobilePhone', 'Title',
        'Role__c', 'Birthdate', 'MailingStreet', 'MailingCity', 'MailingState', 'MailingStateCode',
        'MailingPostalCode', 'MailingCountry', 'MailingCountryCode', 'OwnerId', 'IsDeleted',
        'CreatedDate', 'SystemModstamp',
    ], objects=['MailingAddress']) }}
),

final as (
    {{ canonical_row('contacts', {
        'contact_id': 'id',
        'account_id': 'account_id',
        'first_name': 'first_name',
        'last_name': 'last_name',
        'email': 'email',
        'phone': 'phone',
        'mobile_phone': 'mobile_phone',
        'job_title': 'title',
        'role': word_for('role__c', {
            'sales': 'sales', 'support': 'support', 'billing': 'billing', 'delivery': 'delivery',
        }, "'other'"),
        'street': salesforce_address('mailing', 'street'),
        'city': salesforce_address('mailing', 'city'),
        'region': salesforce_address('mailing', 'state'),
        'postal_code': salesforce_address('mailing', 'postal_code'),
        'country': salesforce_address('mailing', 'country'),
        'owner_id': 'owner_id',
        'birth_date': 'birthdate',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
