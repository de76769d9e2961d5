{#- The catalogue calls the type of every array ARRAY; the only arrays here are of text. -#}
{% macro postgres__safe_cast(field, type) %}
    cast({{ field }} as {{ 'text[]' if type == 'ARRAY' else type }})
{% endmacro %}
