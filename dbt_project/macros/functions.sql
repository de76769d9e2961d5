{#- dbt's own body says nothing of parallel work, and a query that calls such a function gets none. -#}
{% macro postgres__scalar_function_body_sql() %}
    $function$
       {{ model.compiled_code }}
    $function$ language {{ model.config.meta.get('language', 'sql') }} parallel safe
{% endmacro %}
