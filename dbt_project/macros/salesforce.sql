{#- What the mappings of Salesforce share. -#}

{#- One part of an address: the field of its own, else the part of the compound field. Codes go
    before names where the organisation has them. -#}
{% macro salesforce_address(which, part) -%}
    {%- set compound = {'postal_code': 'postalCode'}.get(part, part) -%}
    {%- if part in ('state', 'country') -%}
        coalesce(
            {{ which }}_{{ part }}_code,
            {{ which }}_{{ part }},
            nullif({{ which }}_address ->> '{{ part }}Code', ''),
            nullif({{ which }}_address ->> '{{ compound }}', '')
        )
    {%- else -%}
        coalesce({{ which }}_{{ part }}, nullif({{ which }}_address ->> '{{ compound }}', ''))
    {%- endif -%}
{%- endmacro %}


{#- A whole number that Salesforce keeps as a double: 3.0 is 3. What is none stays as it is. -#}
{% macro salesforce_whole(value) -%}
    coalesce(raw.to_whole_number(raw.to_number({{ value }}, '.'))::text, {{ value }})
{%- endmacro %}


{#- Numbers and units of products, each version with the batches that saw it as the newest: a line
    takes what was known when it arrived, so that a rebuild gives what the incremental run gave. -#}
{% macro salesforce_product_versions() -%}
product_fields as (
    {{ vendor_fields(source('salesforce', 'salesforce_product2'), [
        'Id', 'ProductCode', 'StockKeepingUnit', 'QuantityUnitOfMeasure',
    ]) }}
),

product_versions as (
    select
        source_system,
        id as product_id,
        coalesce(product_code, stock_keeping_unit) as product_number,
        quantity_unit_of_measure as unit,
        batch_id as known_from,
        lead(batch_id) over (
            partition by source_system, id order by batch_id, raw_id
        ) as known_until
    from product_fields
    where operation = 'upsert'
)
{%- endmacro %}


{% macro with_salesforce_product(rows) -%}
    select
        {{ rows }}.*,
        product_versions.product_number as current_product_number,
        product_versions.unit as current_unit
    from {{ rows }}
    left join product_versions
        on product_versions.source_system = {{ rows }}.source_system
            and product_versions.product_id = {{ rows }}.product2_id
            and product_versions.known_from <= {{ rows }}.batch_id
            and ({{ rows }}.batch_id < product_versions.known_until) is not false
{%- endmacro %}
