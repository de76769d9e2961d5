{#- A golden value: of the owning side's records the first that has one, else of the other side's. -#}
{% macro first_known(column, owner) -%}
    (
        array_agg({{ column }} order by side <> '{{ owner }}', age)
        filter (where {{ column }} is not null)
    )[1]
{%- endmacro %}
