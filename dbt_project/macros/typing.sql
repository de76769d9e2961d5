{#- How text from raw becomes typed values. Nothing here may raise on bad input, and nothing may
    depend on the session's DateStyle or TimeZone. -#}

{% macro given(column) -%}
    nullif(btrim(received.{{ column }}), '')
{%- endmacro %}


{% macro typed(column) -%}
    {%- set meta = column.config.meta -%}
    {%- set value = given(column.name) -%}
    {%- if column.data_type == 'text' -%}
        {{ typed_text(column.name, value, meta) }}
    {%- elif column.data_type == 'date' -%}
        case
            when {{ value }} like '____-__-__%' and pg_input_is_valid(left({{ value }}, 10), 'date')
                then left({{ value }}, 10)::date
        end
    {%- elif column.data_type == 'timestamptz' -%}
        {%- set moment = moment(value) -%}
        case
            when {{ value }} like '____-__-__%' and pg_input_is_valid({{ moment }}, 'timestamptz')
                then {{ moment }}::timestamptz
        end
    {%- elif column.data_type.startswith('numeric') -%}
        {#- The type modifier guards against overflow and infinity; NaN passes it. -#}
        case
            when pg_input_is_valid({{ value }}, '{{ column.data_type }}')
                then nullif({{ value }}::{{ column.data_type }}, 'NaN')
        end
    {%- else -%}
        case
            when pg_input_is_valid({{ value }}, '{{ column.data_type }}')
                then {{ value }}::{{ column.data_type }}
        end
    {%- endif -%}
{%- endmacro %}


{% macro typed_text(name, value, meta) -%}
    {%- if meta.reference == 'country' -%}
        coalesce({{ name }}_spelling.alpha2, {{ value }})
    {%- elif meta.reference == 'currency' -%}
        upper({{ value }})
    {%- elif meta.accepted -%}
        lower({{ value }})
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{% macro moment(value) -%}
    {#- A time without an offset is UTC, whatever the session's time zone is. -#}
    case when substr({{ value }}, 11) ~ '[Z+-]' then {{ value }} else {{ value }} || 'Z' end
{%- endmacro %}


{% macro key_text(columns) -%}
    {%- for column in columns -%}
        {%- if column.data_type == 'date' -%} to_char({{ column.name }}, 'YYYY-MM-DD')
        {%- else -%} {{ column.name }}
        {%- endif -%}
        {%- if not loop.last %} || '|' || {% endif -%}
    {%- endfor -%}
{%- endmacro %}
