{#- So many units of the other currency, which is the company's own where none is named, for so many
    units of the currency. A notice of a deleted rate names the rate by its id only. -#}
with received as (
    {{ vendor_fields(source('microsoft', 'business_central_currency_exchange_rate'), [
        'id', '_companyId', 'currencyCode', 'startingDate', 'exchangeRateAmount',
        'relationalCurrencyCode', 'relationalExchangeRateAmount', '_localCurrency',
        'lastModifiedDateTime',
    ]) }}
),

keys as (
    select distinct on (source_system, _company_id, id)
        source_system,
        _company_id as company_id,
        id as rate_id,
        currency_code,
        starting_date,
        coalesce(relational_currency_code, _local_currency) as other_currency
    from received
    where operation = 'upsert'
    order by source_system, _company_id, id, raw_id desc
),

rates as (
    select
        received.*,
        keys.other_currency,
        coalesce(received.currency_code, keys.currency_code) as known_currency,
        coalesce(received.starting_date, keys.starting_date) as known_date
    from received
    left join keys
        on keys.source_system = received.source_system
            and keys.company_id = received._company_id
            and keys.rate_id = received.id
),

final as (
    {{ canonical_row('fx_rates', {
        'currency': 'known_currency',
        'rate_date': business_central_date('known_date'),
        'reporting_currency':
            'coalesce(relational_currency_code, _local_currency, other_currency)',
        'rate':
            "raw.to_number(relational_exchange_rate_amount, '.') / nullif("
            ~ "raw.to_number(exchange_rate_amount, '.'), 0)",
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'rates') }}
)

select * from final
