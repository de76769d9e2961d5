{#- dbt's own body says nothing of parallel work, and a query that calls it then gets none. -#}
{% macro postgres__scalar_function_body_sql() %}
    $function$
       {{ model.compiled_code }}
    $function$ language {{ model.config.meta.get('language', 'sql') }} parallel safe
{% endmacro %}

{#- A function called by another one, without the database's name: a copy of the database under
    another name works. -#}
{% macro identity_call(name) -%}
    {{ function(name).include(database=false) }}
{%- endmacro %}
