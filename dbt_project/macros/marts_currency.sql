{% macro reporting_currency() -%}
    (select value from ops.settings where key = 'reporting_currency')
{%- endmacro %}

{#- One row per currency and day that documents need: the latest rate on or before the day, from the
    document's own system if it has any, else from any other; no row's rate is ever made up. -#}
{% macro conversions(documents, date_column) -%}
    (
        select
            wanted.source_system,
            wanted.currency,
            wanted.rate_date,
            coalesce(
                (
                    select rates.rate from {{ ref('exchange_rates') }} as rates
                    where
                        rates.source_system = wanted.source_system
                        and rates.currency = wanted.currency
                        and rates.rate_date <= wanted.rate_date
                    order by rates.rate_date desc
                    limit 1
                ),
                (
                    select rates.rate from {{ ref('exchange_rates') }} as rates
                    where rates.currency = wanted.currency and rates.rate_date <= wanted.rate_date
                    order by rates.rate_date desc, rates.source_system asc
                    limit 1
                )
            ) as rate
        from (
            select distinct
                source_system,
                currency,
                {{ date_column }} as rate_date
            from {{ documents }}
        ) as wanted
    )
{%- endmacro %}

{#- The rate of a document joined to its conversion: 1 in the reporting currency, else null where none is known. -#}
{% macro fx_rate(documents) -%}
    case
        when {{ documents }}.currency = {{ reporting_currency() }} then 1
        else conversions.rate
    end
{%- endmacro %}

{#- An amount in the reporting currency, rounded to four decimals; null without amount or rate. -#}
{% macro in_reporting_currency(amount, rate) -%}
    round({{ amount }} * {{ rate }}, 4)
{%- endmacro %}

{#- Rates that came, changed or went, with the days for which they count. -#}
{% macro changed_rates() -%}
    (
        select
            changed.currency,
            changed.rate_date as valid_from,
            (
                select min(later.rate_date) from {{ ref('stg_fx_rates') }} as later
                where
                    later.source_system = changed.source_system
                    and later.currency = changed.currency
                    and later.reporting_currency = changed.reporting_currency
                    and later.rate_date > changed.rate_date
                    and not later.is_deleted
            ) as valid_until
        from {{ marts_changed(ref('stg_fx_rates')) }} as changed
        where changed.reporting_currency = {{ reporting_currency() }}
    )
{%- endmacro %}

{#- The documents of this mart whose rate may have changed: by a rate that came, changed or went, or
    by another reporting currency. A changed rate counts until the next one of its system. -#}
{% macro affected_by_rates(date_column) -%}
    select document.{{ config.get('unique_key') | join(', document.') }}
    from {{ this }} as document
    where document.reporting_currency is distinct from {{ reporting_currency() }}
    union all
    select document.{{ config.get('unique_key') | join(', document.') }}
    from {{ this }} as document
    inner join {{ changed_rates() }} as changed_rates
        on
            document.currency = changed_rates.currency
            and document.{{ date_column }} >= changed_rates.valid_from
            and document.{{ date_column }} < coalesce(changed_rates.valid_until, 'infinity')
{%- endmacro %}
