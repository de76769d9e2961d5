with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_quote'), [
        'Id', 'QuoteNumber', 'Revision__c', 'OpportunityId', 'AccountId', 'Status',
        'Quote_Date__c', 'ExpirationDate', 'CurrencyIsoCode', 'Discount', 'TotalPrice',
        'Approved_By__c', 'Approved_At__c', 'IsDeleted', 'CreatedDate', 'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('quotes', {
        'quote_id': 'id',
        'quote_number': 'quote_number',
        'revision': salesforce_whole('revision__c'),
        'opportunity_id': 'opportunity_id',
        'account_id': 'account_id',
        'status': word_for('status', {
            'draft': 'draft', 'needs review': 'draft', 'in review': 'draft', 'approved': 'draft',
            'presented': 'presented', 'accepted': 'accepted', 'rejected': 'rejected',
            'denied': 'rejected', 'expired': 'expired',
        }, 'lower(status)'),
        'quote_date': 'coalesce(quote_date__c, left(created_date, 10))',
        'valid_until': 'expiration_date',
        'currency': 'currency_iso_code',
        'discount_pct': 'discount',
        'net_amount': 'total_price',
        'approved_by': 'approved_by__c',
        'approved_at': 'approved_at__c',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
