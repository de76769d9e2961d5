{#- A view that other views stand on: it is replaced in place and never dropped with what stands on
    it, unless its columns no longer fit; and it is left alone, without any lock, while its
    definition stays the same. -#}
{% materialization lasting_view, adapter='postgres' %}
    {%- set target = this.incorporate(type='view') -%}
    {#- Without the database's name, which is another one in a copy. -#}
    {%- set definition = local_md5(sql | replace('"' ~ this.database ~ '".', '')) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if lasting_view_definition(target) == definition -%}
        {%- call statement('main') %}select 1{% endcall -%}
    {%- else -%}
        {%- call statement('main') -%}
            {%- if not columns_stay(target, sql) %}
            drop view {{ target }} cascade;
            {%- endif %}
            create or replace view {{ target }} as
            {{ sql }};
            comment on view {{ target }} is {{ dbt.string_literal(
                dbt.escape_single_quotes(model.description ~ ' [' ~ definition ~ ']')
            ) }};
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{#- The digest of what the view was last made from, none when it is not there. -#}
{% macro lasting_view_definition(relation) -%}
    {%- set found = run_query(
        "select substring(obj_description(to_regclass('" ~ relation ~ "')) from '[[]([0-9a-f]{32})[]]$')"
    ) -%}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}


{#- Postgres can only add columns at the end of a view that stays. -#}
{% macro columns_stay(relation, query) -%}
    {%- set existing = run_query(
        "select attname from pg_attribute where attrelid = to_regclass('" ~ relation ~ "')"
        ~ " and attnum > 0 and not attisdropped order by attnum"
    ).columns[0].values() | list -%}
    {%- set wanted = get_columns_in_query(query) -%}
    {{ return(existing == wanted[:existing | length]) }}
{%- endmacro %}
