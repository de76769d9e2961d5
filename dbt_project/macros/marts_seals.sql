{#- The named columns of a row as one JSON object; numbers without the zeros that only their type has. -#}
{% macro content_of(row, columns, numbers=[]) -%}
    jsonb_build_object(
        {%- for column in columns %}
        '{{ column }}', {{ row }}.{{ column }}{% if not loop.last or numbers %},{% endif %}
        {%- endfor %}
        {%- for column in numbers %}
        '{{ column }}', trim_scale({{ row }}.{{ column }}){% if not loop.last %},{% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{% macro affected_document_contents() %}
    {{- affected_keys([
        "select source_system, 'order|' || key as document_key from " ~ touched_keys('order') ~ " as touched",
        "select source_system, 'invoice|' || key from " ~ touched_keys('invoice') ~ " as touched",
    ]) -}}
{% endmacro %}
