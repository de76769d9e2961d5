{#- The canonical model as dbt sees it: the yml beside the incoming model of an entity. -#}

{% macro incoming_model(entity) -%}
    {{ return(graph.nodes['model.concord.incoming_' ~ entity]) }}
{%- endmacro %}


{% macro business_columns(entity) -%}
    {%- set columns = [] -%}
    {%- for column in incoming_model(entity).columns.values() if not column.config.meta.technical -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}


{% macro column_list(columns, prefix='') -%}
    {%- for column in columns -%}
        {{ prefix }}{{ column.name }}{% if not loop.last %}, {% endif %}
    {%- endfor -%}
{%- endmacro %}


{% macro current_version() -%}
    (select max(run_id) from ops.runs where flow in ('integrate', 'build', 'identify'))
{%- endmacro %}


{#- A table that was just made has no statistics, and the next model would be planned blindly. -#}
{% macro analyze_when_new() -%}
    {% if not is_incremental() %}analyze {{ this }}{% endif %}
{%- endmacro %}
