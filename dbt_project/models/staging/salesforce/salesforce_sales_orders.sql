with fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_order'), [
        'Id', 'OrderNumber', 'AccountId', 'OpportunityId', 'QuoteId', 'Status', 'EffectiveDate',
        'CurrencyIsoCode', 'TotalAmount', 'ERP_Order_Number__c', 'IsDeleted', 'CreatedDate',
        'SystemModstamp',
    ]) }}
),

final as (
    {{ canonical_row('sales_orders', {
        'sales_order_id': 'id',
        'order_number': 'order_number',
        'account_id': 'account_id',
        'opportunity_id': 'opportunity_id',
        'quote_id': 'quote_id',
        'status': 'lower(status)',
        'order_date': 'effective_date',
        'currency': 'currency_iso_code',
        'net_amount': 'total_amount',
        'erp_order_number': 'erp_order_number__c',
        'is_deleted': 'is_deleted',
        'created_at': 'created_date',
        'modified_at': 'system_modstamp',
    }) }}
)

select * from final
