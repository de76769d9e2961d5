{#- So many units of the other currency, which is the company's own where none is named, for so many
    units of the currency. A notice of a deleted rate names the rate by its id only. -#}
with received as (
    {{ vendor_fields(source('microsoft', 'business_central_currency_exchange_rate'), [
        'id', '_companyId', 'currencyCode', 'startingDate', 'exchangeRateAmount',
        'relationalCurrencyCode', 'relationalExchangeRateAmount', '_localCurrency',
        'lastModifiedDateTime',
    ]) }}
),

rates as (
    select
        received.*,
        coalesce(
            received.relational_currency_code,
            received._local_currency,
            first_value(coalesce(received.relational_currency_code, received._local_currency))
                over newest
        ) as known_reporting_currency,
        coalesce(
            received.currency_code, first_value(received.currency_code) over newest
        ) as known_currency,
        coalesce(
            received.starting_date, first_value(received.starting_date) over newest
        ) as known_date
    from received
    window newest as (
        partition by received.source_system, received._company_id, received.id
        order by (received.operation = 'upsert') desc, received.raw_id desc
    )
),

final as (
    {{ canonical_row('fx_rates', {
        'currency': 'known_currency',
        'rate_date': business_central_date('known_date'),
        'reporting_currency': 'known_reporting_currency',
        'rate':
            "raw.to_number(relational_exchange_rate_amount, '.') / nullif("
            ~ "raw.to_number(exchange_rate_amount, '.'), 0)",
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'rates') }}
)

select * from final
