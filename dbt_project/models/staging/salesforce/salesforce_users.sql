with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_user'), [
        'Id', 'Name', 'FirstName', 'LastName', 'Email', 'IsActive', 'UserType', 'CreatedDate',
        'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('users', {
        'user_id': 'id',
        'name': "coalesce(name, nullif(concat_ws(' ', first_name, last_name), ''))",
        'email': 'email',
        'is_active': 'is_active',
        'is_integration': "user_type in ('AutomatedProcess', 'CloudIntegrationUser')",
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
