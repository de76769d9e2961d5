with fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_quote'), [
        'number', 'status', 'documentDate', 'validUntilDate', 'sentDate', 'acceptedDate',
        'currencyCode', '_localCurrency', 'totalAmountExcludingTax',
    ]) }}
),

final as (
    {{ canonical_row('quotes', {
        'quote_id': 'lower(id)',
        'quote_number': 'number',
        'status': word_for(business_central_word('status'), {
            'draft': 'draft', 'in review': 'draft', 'sent': 'presented', 'accepted': 'accepted',
            'expired': 'expired',
        }, "'draft'"),
        'quote_date': business_central_date('document_date'),
        'valid_until': business_central_date('valid_until_date'),
        'currency': 'coalesce(currency_code, _local_currency)',
        'net_amount': 'total_amount_excluding_tax',
        'modified_at': business_central_date('last_modified_date_time'),
    }) }}
)

select * from final
