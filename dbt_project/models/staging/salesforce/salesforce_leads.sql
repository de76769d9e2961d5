with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_lead'), [
        'Id', 'Company', 'FirstName', 'LastName', 'Email', 'Phone', 'Status', 'LeadSource',
        'ConvertedAccountId', 'ConvertedOpportunityId', 'IsDeleted', 'CreatedDate',
        'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('leads', {
        'lead_id': 'id',
        'company': 'company',
        'first_name': 'first_name',
        'last_name': 'last_name',
        'email': 'email',
        'phone': 'phone',
        'status': 'lower(status)',
        'source': 'lead_source',
        'converted_account_id': 'converted_account_id',
        'converted_opportunity_id': 'converted_opportunity_id',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
