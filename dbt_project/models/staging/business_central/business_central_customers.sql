with fields as (
    {{ vendor_fields(source('microsoft', 'business_central_customer'), [
        'id', '_companyId', '_companyName', 'number', 'displayName', 'taxRegistrationNumber',
        'email', 'phoneNumber', 'website', 'currencyCode', 'paymentTermsId', 'creditLimit',
        'blocked', '_localCurrency', 'lastModifiedDateTime',
    ]) }}
),

term_rows as (
    {{ vendor_fields(source('microsoft', 'business_central_payment_term'), [
        'id', '_companyId', 'code',
    ]) }}
),

terms as (
    select distinct on (source_system, _company_id, id)
        source_system,
        _company_id as company_id,
        lower(id) as terms_id,
        code
    from term_rows
    where operation = 'upsert'
    order by source_system, _company_id, id, raw_id desc
),

customers as (
    select
        fields.*,
        terms.code as terms_code
    from fields
    left join terms
        on terms.source_system = fields.source_system
            and terms.company_id = fields._company_id
            and terms.terms_id = lower(fields.payment_terms_id)
),

final as (
    {{ canonical_row('customers', {
        'customer_id': 'lower(id)',
        'customer_number': 'number',
        'name': 'display_name',
        'tax_id': 'tax_registration_number',
        'email': 'email',
        'phone': 'phone_number',
        'website': 'website',
        'currency': 'coalesce(currency_code, _local_currency)',
        'payment_terms': 'terms_code',
        'credit_limit': "nullif(credit_limit, '0')",
        'is_blocked':
            "case when operation = 'upsert' then " ~ business_central_word('blocked')
            ~ ' is not null end',
        'company': '_company_name',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'customers') }}
)

select * from final
