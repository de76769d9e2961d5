{#-
    Descriptions go into the database when a table is made. An incremental run would write the same
    ones again, after two look-ups of all columns: a changed description makes the table anew.
-#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not is_incremental() -%}
        {{- return(default__persist_docs(relation, model, for_relation, for_columns)) -}}
    {%- endif -%}
{%- endmacro %}
