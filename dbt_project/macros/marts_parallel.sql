{#-
    dbt fills a table with a contract by `insert … select`, for which Postgres never reads with several
    processes. A mart that reads much and returns little (`meta: {reads_in_parallel: true}`) is worked
    out into a temporary table first.
-#}
{% macro postgres__get_create_table_as_sql(temporary, relation, sql) -%}
    {%- if not temporary and config.get('meta', {}).get('reads_in_parallel') -%}
        {%- set worked_out = 'worked_out_' ~ model.name -%}
        {%- do run_query('create temporary table ' ~ worked_out ~ ' on commit drop as ' ~ sql) -%}
        {%- set sql = 'select * from pg_temp.' ~ worked_out -%}
    {%- endif -%}
    {{- create_table_as(temporary, relation, sql) -}}
{%- endmacro %}
