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

{#- True for the documents of one type to compute: as `only_affected`, by the columns that have keys. -#}
{% macro only_affected_of(type, columns) -%}
    {%- if is_incremental() -%}
        ({{ columns | join(', ') }}) in (
            select
                source_system,
                substr(document_key, length('{{ type }}|') + 1)
            from {{ affected_table() }}
            where starts_with(document_key, '{{ type }}|')
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Whether nothing is left to come for an order. -#}
{% macro is_complete_order(orders) -%}
    coalesce(
        {{ orders }}.billing_status = 'invoiced'
        and (
            {{ orders }}.fulfilment_status in ('shipped', 'nothing_ordered')
            or {{ orders }}.status in ('invoiced', 'closed')
        ),
        false
    )
{%- endmacro %}
