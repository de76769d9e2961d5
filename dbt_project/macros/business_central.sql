{#- What the mappings of Business Central share. -#}

{#- The number of places that the rows of a document get below its own: its lines, then the lines
    that it no longer has. -#}
{% macro business_central_places() -%} {{ return(2 ** 17) }} {%- endmacro %}


{#- A GUID, null where it stands for nothing. -#}
{% macro business_central_id(value) -%}
    nullif(lower({{ value }}), '00000000-0000-0000-0000-000000000000')
{%- endmacro %}


{#- A date or time, null where it stands for nothing. -#}
{% macro business_central_date(value) -%}
    case when {{ value }} not like '0001-01-01%' then {{ value }} end
{%- endmacro %}


{#- An enumeration's word: _x0020_ is a space, and a space alone is nothing. -#}
{% macro business_central_word(value) -%}
    nullif(
        btrim(replace(replace({{ value }}, '_x0020_', ' '), '_x002E_', '.')),
        ''
    )
{%- endmacro %}


{#- A line's number as people count: lines are numbered 10000, 20000, so that others fit between;
    one that was put between keeps its own number. -#}
{% macro business_central_line_number(value) -%}
    regexp_replace({{ value }}, '^([0-9]+)0000$', '\1')
{%- endmacro %}


{#- The fields of every document, with the ids of what it belongs to. -#}
{% macro business_central_documents(relation, names, objects=[]) -%}
    {{ vendor_fields(relation, [
        'id', '_companyId', '_companyName', 'lastModifiedDateTime',
    ] + names, objects=objects) }}
{%- endmacro %}


{#- The lines of documents: one row for every line that a document came with, and a notice for every
    line that it once had and came without. A document that is deleted has none. -#}
{% macro business_central_lines(relation, lines, header_names, line_names, prefix='') -%}
{{ prefix }}received as (
    {{ vendor_fields(relation, [
        'id', '_companyId', '_companyName', 'lastModifiedDateTime',
    ] + header_names, objects=[lines]) }}
),

{{ prefix }}document_lines as (
    select
        {{ prefix }}received.source_system,
        {{ prefix }}received.kind,
        {{ prefix }}received.batch_id,
        {{ prefix }}received.raw_id as document_raw_id,
        {{ prefix }}received.raw_id * {{ business_central_places() }} + element.place as raw_id,
        {{ prefix }}received.operation,
        element.line as payload,
        {{ prefix }}received.id as document_id,
        {{ prefix }}received._company_id as company_id,
        {{ prefix }}received._company_name as company_name,
        {{ prefix }}received.last_modified_date_time
        {%- for name in header_names %},
        {{ prefix }}received.{{ snake_case(name) }} as document_{{ snake_case(name) }}
        {%- endfor %},
        lower(field.id) as line_id
        {%- for name in line_names %},
        nullif(btrim(field.{{ adapter.quote(name) }}), '') as {{ snake_case(name) }}
        {%- endfor %}
    from {{ prefix }}received
    cross join lateral json_array_elements(
        case
            when json_typeof({{ prefix }}received.{{ snake_case(lines) }}) = 'array'
                then {{ prefix }}received.{{ snake_case(lines) }}
            else '[]'::json
        end
    ) with ordinality as element (line, place)
    cross join lateral json_to_record(element.line) as field (
        id text
        {%- for name in line_names %},
        {{ adapter.quote(name) }} text
        {%- endfor %}
    )
    where field."lineType" is distinct from 'Comment'
),

{{ prefix }}once_there as (
    select distinct
        source_system,
        company_id,
        document_id,
        line_id,
        sequence,
        first_value(document_raw_id) over (
            partition by source_system, company_id, document_id, line_id
            order by document_raw_id
        ) as first_raw_id
    from {{ prefix }}document_lines
),

{{ prefix }}no_longer_there as (
    select
        {{ prefix }}received.source_system,
        {{ prefix }}received.kind,
        {{ prefix }}received.batch_id,
        {{ prefix }}received.raw_id as document_raw_id,
        {{ prefix }}received.raw_id * {{ business_central_places() }} + {{ business_central_places() // 2 }}
        + row_number() over (
            partition by {{ prefix }}received.batch_id, {{ prefix }}received.raw_id order by {{ prefix }}once_there.line_id
        ) as raw_id,
        'delete'::text as operation,
        null::json as payload,
        {{ prefix }}received.id as document_id,
        {{ prefix }}received._company_id as company_id,
        {{ prefix }}received._company_name as company_name,
        {{ prefix }}received.last_modified_date_time
        {%- for name in header_names %},
        {{ prefix }}received.{{ snake_case(name) }} as document_{{ snake_case(name) }}
        {%- endfor %},
        {{ prefix }}once_there.line_id
        {%- for name in line_names %},
        {{ prefix ~ 'once_there.sequence' if name == 'sequence' else 'null::text' }} as {{ snake_case(name) }}
        {%- endfor %}
    from {{ prefix }}received
    inner join {{ prefix }}once_there
        on {{ prefix }}once_there.source_system = {{ prefix }}received.source_system
            and {{ prefix }}once_there.company_id = {{ prefix }}received._company_id
            and {{ prefix }}once_there.document_id = {{ prefix }}received.id
            and {{ prefix }}once_there.first_raw_id < {{ prefix }}received.raw_id
    where not exists (
        select from json_array_elements(
            case
                when json_typeof({{ prefix }}received.{{ snake_case(lines) }}) = 'array'
                    then {{ prefix }}received.{{ snake_case(lines) }}
                else '[]'::json
            end
        ) as still (line)
        where lower(still.line ->> 'id') = {{ prefix }}once_there.line_id
    )
),

{{ prefix }}lines as (
    select * from {{ prefix }}document_lines
    union all
    select * from {{ prefix }}no_longer_there
)
{%- endmacro %}


{#- Which order a number means: as the list of orders says, else as invoices do. -#}
{% macro business_central_order_numbers() -%}
order_rows as (
    {{ vendor_fields(source('microsoft', 'business_central_sales_order'), [
        'id', '_companyId', 'number',
    ]) }}
),

invoice_rows as (
    {{ vendor_fields(source('microsoft', 'business_central_sales_invoice'), [
        'orderId', '_companyId', 'orderNumber',
    ]) }}
),

order_numbers as (
    select distinct on (source_system, company_id, order_number)
        source_system,
        company_id,
        order_number,
        order_id
    from (
        select source_system, _company_id as company_id, number as order_number, lower(id) as order_id, 1 as rank
        from order_rows
        where operation = 'upsert'
        union all
        select
            source_system,
            _company_id,
            order_number,
            {{ business_central_id('order_id') }},
            2
        from invoice_rows
    ) as named
    where order_number is not null and order_id is not null
    order by source_system, company_id, order_number, rank, order_id
)
{%- endmacro %}


{#- A price of one unit before tax, also where the document's prices include it. -#}
{% macro business_central_price() -%}
    case
        when document_prices_include_tax = 'true'
            then round(
                raw.to_number(unit_price, '.')
                / (1 + coalesce(raw.to_number(tax_percent, '.'), 0) / 100), 6
            )::text
        else unit_price
    end
{%- endmacro %}


{#- Why goods come back: a company's own codes by their beginnings. -#}
{% macro business_central_reasons() -%}
reason_rows as (
    {{ vendor_fields(source('microsoft', 'business_central_customer_return_reason'), [
        'id', '_companyId', 'code',
    ]) }}
),

reasons as (
    select distinct on (source_system, _company_id, id)
        source_system,
        _company_id as company_id,
        lower(id) as reason_id,
        {{ word_for('code', {
            'return': 'return', 'price': 'price_correction', 'goodwill': 'goodwill',
        }, "'other'") }} as reason
    from reason_rows
    where operation = 'upsert'
    order by source_system, _company_id, id, raw_id desc
)
{%- endmacro %}


{#- Posted invoices of orders that were never in the list of orders; `is_newest` marks the newest
    version of each. `invoices` is a CTE with whatever fields the model needs. -#}
{% macro business_central_invoices_alone(orders, invoices) -%}
numbered_invoices as (
    select
        *,
        {{ business_central_id('order_id') }} as known_order_id,
        raw_id = max(raw_id) over (partition by source_system, _company_id, id) as is_newest
    from {{ invoices }}
    where operation = 'upsert' and status not in ('Draft', 'In_x0020_Review')
),

invoices_alone as (
    select *
    from numbered_invoices
    where known_order_id is not null
        and not exists (
            select from {{ orders }} as listed
            where listed.source_system = numbered_invoices.source_system
                and listed._company_id = numbered_invoices._company_id
                and lower(listed.id) = numbered_invoices.known_order_id
        )
)
{%- endmacro %}
