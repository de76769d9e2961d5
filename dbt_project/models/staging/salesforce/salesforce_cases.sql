with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_case'), [
        'Id', 'CaseNumber', 'AccountId', 'ContactId', 'Order_Number__c', 'Product_Number__c',
        'Type', 'Reason', 'Status', 'ClosedDate', 'IsDeleted', 'CreatedDate', 'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('cases', {
        'case_id': 'id',
        'case_number': 'case_number',
        'account_id': 'account_id',
        'contact_id': 'contact_id',
        'order_number': 'order_number__c',
        'product_number': 'product_number__c',
        'type': word_for('type', {
            'complaint': 'complaint', 'problem': 'complaint', 'question': 'question',
            'request': 'request', 'feature request': 'request',
        }, "'other'"),
        'reason': 'reason',
        'status': 'lower(status)',
        'opened_at': 'created_date',
        'closed_at': 'closed_date',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
