{#
    Incremental marts replace whole documents. Before a mart is built, `affected_keys` lists every
    document that anything it is made of may have changed; the model computes those documents only,
    and the strategy `affected` replaces exactly those in one transaction, so that deleted rows,
    moved lines and late rows come out as a full build would have them.
#}

{% macro marts_slot() %}
    {{- return(env_var('CONCORD_SLOT', 'a')) -}}
{% endmacro %}

{#- Up to which run this slot has caught up; rows of later versions are what changed. -#}
{% macro marts_watermark() %}
    {%- if not execute -%} {{- return(0) -}} {%- endif -%}
    {%- set known = env_var('CONCORD_SLOT_VERSION', '') -%}
    {%- if known -%} {{- return(known | int) -}} {%- endif -%}
    {%- set slots = run_query("select version from ops.slots where slot = '" ~ marts_slot() ~ "'") -%}
    {{- return(slots.columns[0].values()[0] | int) -}}
{% endmacro %}

{#- The rows of a staging or identity relation that changed since the slot last caught up. -#}
{% macro marts_changed(relation) -%}
    (select * from {{ relation }} where version > {{ marts_watermark() }})
{%- endmacro %}

{#- Where everything is read, a loop is never the best plan, but often the one chosen: of long chains
    of steps statistics tell too little. -#}
{% macro no_loops_in_a_full_build() -%}
    {%- if not is_incremental() -%} set local enable_nestloop = off {%- endif -%}
{%- endmacro %}

{#- A mart of this slot as the last run left it, or none before its first build. -#}
{% macro marts_previous(name) %}
    {%- if not execute -%} {{- return(none) -}} {%- endif -%}
    {{- return(adapter.get_relation(this.database, this.schema, name)) -}}
{% endmacro %}

{% macro affected_table() -%}
    pg_temp.affected_{{ model.name }}
{%- endmacro %}

{#- Collect the affected keys into a temporary table, from queries that each return the unique key. -#}
{% macro affected_keys(queries) %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set key = config.get('unique_key') -%}
    drop table if exists {{ affected_table() }};
    create temporary table affected_{{ model.name }} as
    select distinct {{ key | join(', ') }}
    from (
        {{ queries | select | join('\n        union all\n') }}
    ) as affected
    where {{ key | join(' is not null and ') }} is not null;
    create unique index on {{ affected_table() }} ({{ key | join(', ') }});
    analyze {{ affected_table() }};
{% endmacro %}

{#- True for the rows to compute: all of them, or in an incremental run those with an affected key. -#}
{% macro only_affected(columns) -%}
    {%- if is_incremental() -%}
        ({{ columns | join(', ') }}) in (
            select {{ config.get('unique_key') | join(', ') }} from {{ affected_table() }}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The same by the index of a column: for steps that look few keys up where loops are turned off. -#}
{% macro affected_by_index(column) -%}
    {%- if is_incremental() -%}
        {{ column }} = any(array(select {{ config.get('unique_key')[0] }} from {{ affected_table() }}))
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- Replace the affected documents; what `touches` names is noted for the marts built from this one. -#}
{% macro get_incremental_affected_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set key = arg_dict['unique_key'] | join(', ') -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) %}
    -- Statistics tell how few keys there are, whatever the model has turned off for its own steps.
    set local enable_nestloop = on;
    {%- for touched in config.get('meta', {}).get('touches', []) %}
        {{ note_touched_keys(touched, target, arg_dict['temp_relation']) }}
    {%- endfor %}
    {%- if 'marts' in config.get('tags', []) %}
        {{ note_rewritten_keys(arg_dict['temp_relation']) }}
    {%- endif %}
    delete from {{ target }}
    where ({{ key }}) in (select {{ key }} from {{ affected_table() }});
    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }};
{% endmacro %}

{#- Which rows the gate has to judge again: all that the statements after this one replace. -#}
{% macro note_rewritten_keys(replacement) %}
    {%- set unique_key = config.get('unique_key') -%}
    {%- set columns = unique_key | reject('equalto', 'source_system') | list -%}
    {%- if columns | length != 1 -%}
        {{ exceptions.raise_compiler_error('A mart is replaced by one column, beside source_system.') }}
    {%- endif -%}
    {%- set system = 'source_system' if 'source_system' in unique_key else 'null::text' %}
    insert into ops.rewritten_keys (slot, mart, key_column, source_system, key)
    select '{{ marts_slot() }}', '{{ model.name }}', '{{ columns[0] }}', rewritten.*
    from (
        select {{ system }}, {{ columns[0] }}::text from {{ affected_table() }}
        union
        select {{ system }}, {{ columns[0] }}::text from {{ replacement }}
    ) as rewritten;
{% endmacro %}

{% macro note_touched_keys(touched, target, replacement) %}
    {%- set unique_key = config.get('unique_key') | join(', ') -%}
    {%- set system = touched.get('system', "''") %}
    insert into ops.touched_keys (slot, mart, kind, source_system, key, since_version)
    select distinct
        '{{ marts_slot() }}',
        '{{ model.name }}',
        '{{ touched.kind }}',
        touched.source_system,
        touched.touched_key,
        {{ marts_watermark() }}
    from (
        select {{ system }} as source_system, {{ touched.key }} as touched_key from {{ target }}
        where ({{ unique_key }}) in (select {{ unique_key }} from {{ affected_table() }})
        union
        select {{ system }}, {{ touched.key }} from {{ replacement }}
    ) as touched
    where touched.touched_key is not null;
{% endmacro %}

{#- The keys that marts built earlier noted, as (source_system, key). -#}
{% macro touched_keys(kind) -%}
    (
        select distinct source_system, key from ops.touched_keys
        where
            slot = '{{ marts_slot() }}'
            and kind = '{{ kind }}'
            and since_version = {{ marts_watermark() }}
    )
{%- endmacro %}

{#- Forget what was noted for runs that this slot has caught up with. -#}
{% macro forget_touched_keys() -%}
    delete from ops.touched_keys
    where slot = '{{ marts_slot() }}' and since_version <> {{ marts_watermark() }}
{%- endmacro %}
