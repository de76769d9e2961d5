{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Schemas are named exactly as the stages are, without the target's name in front. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
