{#- What the models that map a vendor's rows to the canonical model share. -#}

{#- The named fields of every row of a vendor's object, as text, beside its technical columns. Names
    become lower case with underscores: BillingCity is billing_city, ERP_Id__c is erp_id__c. -#}
{% macro vendor_fields(relation, names, objects=[]) -%}
    select
        received.source_system,
        received.kind,
        received.batch_id,
        received.raw_id,
        received.operation,
        received.payload
        {%- for name in names %},
        nullif(btrim(field.{{ adapter.quote(name) }}), '') as {{ snake_case(name) }}
        {%- endfor %}
        {%- for name in objects %},
        field.{{ adapter.quote(name) }} as {{ snake_case(name) }}
        {%- endfor %}
    from {{ relation }} as received
    cross join lateral json_to_record(received.payload) as field (
        {%- for name in names %}
        {{ adapter.quote(name) }} text
        {%- if not loop.last or objects %},{% endif %}
        {%- endfor %}
        {%- for name in objects %}
        {{ adapter.quote(name) }} json
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    )
{%- endmacro %}


{% macro snake_case(name) -%}
    {{ return(modules.re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', name) | lower) }}
{%- endmacro %}


{#- The columns of raw.<entity>, in their order: the technical ones, then each canonical column as
    the mapping says, null where it says nothing. -#}
{% macro canonical_row(entity, mapping, rows='fields') -%}
    select
        {{ rows }}.source_system,
        {{ rows }}.kind,
        {{ rows }}.batch_id,
        {{ mapping.get('raw_id', rows ~ '.raw_id') }} as raw_id,
        {{ rows }}.operation,
        {{ rows }}.payload,
        null::text[] as invalid_columns
    {%- if execute %}
        {#- From the database and not from the yml, which unit tests do not get to see. -#}
        {%- set view = api.Relation.create(schema='raw', identifier=entity) -%}
        {%- for column in adapter.get_columns_in_relation(view)[7:] %},
        ({{ mapping.get(column.name, 'null') }})::text as {{ column.name }}
        {%- endfor %}
    {%- endif %}
    from {{ rows }}
{%- endmacro %}


{#- A number times a factor, as text; what is no number stays as it is, for the gate to see. -#}
{% macro scaled(value, factor) -%}
    coalesce((raw.to_number({{ value }}, '.') * {{ factor }})::text, {{ value }})
{%- endmacro %}


{#- A canonical word for a vendor's: by its beginnings in lower case, in order; null stays null. -#}
{% macro word_for(value, beginnings, otherwise) -%}
    case
        when {{ value }} is null then null
    {%- for beginning, word in beginnings.items() %}
        when lower({{ value }}) like '{{ beginning }}%' then '{{ word }}'
    {%- endfor %}
        else {{ otherwise }}
    end
{%- endmacro %}
