{#- One entity's rows that are not yet staged, typed and judged row by row in one pass. -#}
{% macro incoming() -%}
    {%- set entity = model.name | replace('incoming_', '') -%}
    {%- do ref('country_spellings') -%}
    {%- do ref('currencies') -%}
    {%- set raw = source('raw', entity) -%}
    {%- if execute -%}
        {%- set columns = business_columns(entity) -%}
        {%- set keys = columns | selectattr('config.meta.key') | list -%}
        {%- set meta = incoming_model(entity).config.meta -%}
with received as (
    {{ pending_rows(raw, entity) }}
),

typed as (
    {{ typed_rows(columns) }}
),

judged as (
    select
        source_system,
        kind,
        {{ key_text(keys) }} as source_key,
        '{{ meta.document_type or entity }}'::text as document_type,
        {{ meta.document_key if meta.document_key else key_text(keys) }} as document_key,
        batch_id,
        raw_id,
        is_retry,
        true as is_newest,
        {{ failed_rules(columns) }} as failed_rules,
        {{ 'abs(' ~ meta.money ~ ')' if meta.money else 'null' }}::numeric(20,4) as money_at_risk,
        operation,
        {{ column_list(columns) }}
    from typed
)

select * from judged
    {%- else -%}
select * from {{ raw }}
    {%- endif -%}
{%- endmacro %}


{% macro pending_rows(raw, entity) -%}
    {#- Both bounds are single values known before the scan, so that only the blocks of pending
        batches are read. `is true` keeps the planner from joining, which it does with nested loops
        because a new table has no statistics. -#}
    {%- set pending -%}
        from ops.batches
        where status in ('landed', 'refused', 'accepted')
            and (entities = '{}' or '{{ entity }}' = any(entities))
    {%- endset -%}
    {%- set held -%}
        from quarantine.rows where status = 'open' and entity = '{{ entity }}'
    {%- endset -%}
    select false as is_retry, pending.* from {{ raw }} as pending
    where pending.batch_id >= (select min(batch_id) {{ pending }})
        and pending.batch_id <= (select max(batch_id) {{ pending }})
        and (pending.batch_id in (select batch_id {{ pending }})) is true
        and (pending.source_system, pending.raw_id) not in (
            select source_system, raw_id {{ held }}
        )
    union all
    select true as is_retry, retried.* from {{ raw }} as retried
    where retried.batch_id >= (select min(batch_id) {{ held }})
        and retried.batch_id <= (select max(batch_id) {{ held }})
        and ((retried.source_system, retried.raw_id) in (
            select source_system, raw_id {{ held }}
        )) is true
{%- endmacro %}


{% macro typed_rows(columns) -%}
    select
        received.source_system,
        received.kind,
        received.batch_id,
        received.raw_id,
        received.operation,
        received.is_retry,
        received.invalid_columns,
    {%- for column in columns if column.data_type != 'text' or column.config.meta.reference == 'country' %}
        {{ given(column.name) }} as given_{{ column.name }},
    {%- endfor %}
    {%- for column in columns %}
        {%- if column.config.meta.reference == 'country' %}
        {{ column.name }}_spelling.alpha2 as known_{{ column.name }},
        {%- endif %}
        {{ typed(column) }} as {{ column.name }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
    from received
    {%- for column in columns if column.config.meta.reference == 'country' %}
    left join {{ ref('country_spellings') }} as {{ column.name }}_spelling
        on {{ column.name }}_spelling.spelling = lower({{ given(column.name) }})
    {%- endfor %}
    -- A fence: each cast is evaluated once, not again in every rule that looks at it.
    offset 0
{%- endmacro %}
