{#- The newest accepted version of every key of one entity. What comes out are only the rows to
    write: new ones and those whose content differs from what is staged. -#}
{% macro staged(entity) -%}
    {%- do ref('incoming_' ~ entity) -%}
    {%- do ref('stg_deletes') -%}
    {%- do ref('country_spellings') -%}
    {%- set raw = source('raw', entity) -%}
    {%- if execute -%}
        {%- set columns = business_columns(entity) -%}
        {%- set values = columns | rejectattr('name', 'equalto', 'is_deleted') | list -%}
with accepted as not materialized (
    {{ accepted_rows(entity, raw, columns) }}
),

{{ newest_versions(columns) }},

notices as (
    select source_system, source_key, array_agg(notice) as received
    from {{ ref('stg_deletes') }} as notice
    where entity = '{{ entity }}'
    group by source_system, source_key
),

versions as (
    {{ candidate_versions(columns) }}
),

timed as (
    select
        versions.*,
        {{ deletion_time() }} as deleted_at
    from versions
    left join notices using (source_system, source_key)
    -- A fence: the time of deletion is worked out once.
    offset 0
),

final as (
    select
        timed.source_system,
        timed.kind,
        timed.source_key,
        {{ column_list(values, 'timed.') }},
        timed.deleted_at is not null as is_deleted,
        timed.deleted_at,
        timed.batch_id,
        timed.raw_id,
        {{ current_version() }} as version,
        now() as staged_at
    from timed
    {%- if is_incremental() %}
    left join {{ this }} as staged using (source_system, source_key)
    where staged.source_key is null
        or (timed.kind, timed.deleted_at, {{ column_list(values, 'timed.') }})
        is distinct from (staged.kind, staged.deleted_at, {{ column_list(values, 'staged.') }})
    {%- endif %}
)

select * from final
    {%- else -%}
select * from {{ raw }}
    {%- endif -%}
{%- endmacro %}


{#- Whether staging is rebuilt from raw: when asked to, or when its table is gone although batches
    have been staged. Otherwise the rows come from what was just judged. -#}
{% macro reads_raw() -%}
    {%- if is_incremental() -%}
        {{ return(false) }}
    {%- elif should_full_refresh() -%}
        {{ return(true) }}
    {%- endif -%}
    {%- set staged = run_query("select exists (select from ops.batches where status = 'staged')") -%}
    {{ return(staged.rows[0][0]) }}
{%- endmacro %}


{% macro accepted_batches() -%}
    (select batch_id from ops.batches where status in ('accepted', 'staged'))
{%- endmacro %}


{% macro not_held(entity, rows) -%}
    ({{ rows }}.source_system, {{ rows }}.raw_id) not in (
        select source_system, raw_id from quarantine.rows
        where entity = '{{ entity }}' and status <> 'released'
    )
{%- endmacro %}


{% macro accepted_rows(entity, raw, columns, condition='true') -%}
    {%- if reads_raw() -%}
    {%- set keys = columns | selectattr('config.meta.key') | list -%}
    select
        {{ key_text(keys) }} as source_key,
        false as is_newest,
        rebuilt.*
    from (
        select * from (
            with received as (
                select landed.*, false as is_retry from {{ raw }} as landed
                where (landed.batch_id in {{ accepted_batches() }}) is true
                    and {{ not_held(entity, 'landed') }}
                    and {{ condition }}
            )

            {{ typed_rows(columns) }}
        ) as read_again
    ) as rebuilt
    {%- else -%}
    select * from {{ ref('incoming_' ~ entity) }} as landed
    where (landed.batch_id in {{ accepted_batches() }}) is true
        and {{ not_held(entity, 'landed') }}
        and {{ condition }}
    {%- endif -%}
{%- endmacro %}


{#- Keys that came once need no ranking; only the versions of keys whose newest one is held back or
    is a delete notice do. -#}
{% macro newest_versions(columns) -%}
    {%- set output = 'source_system, kind, source_key, ' ~ column_list(columns) ~ ', batch_id, raw_id' -%}
judged_newest as not materialized (
    select {{ output }}
    from accepted
    where is_newest and operation = 'upsert' and source_key is not null
),

next_best as (
    select distinct on (source_system, source_key) {{ output }}
    from accepted
    where not is_newest and operation = 'upsert' and source_key is not null
        and not exists (
            select from judged_newest
            where judged_newest.source_system = accepted.source_system
                and judged_newest.source_key = accepted.source_key
        )
    order by
        source_system asc,
        source_key asc,
        modified_at desc nulls last,
        batch_id desc,
        raw_id desc
),

newest as not materialized (
    select * from judged_newest
    union all
    select * from next_best
)
{%- endmacro %}


{% macro candidate_versions(columns) -%}
    {%- set output = ['source_system', 'kind', 'source_key', 'batch_id', 'raw_id'] -%}
    {%- for column in columns %}{% do output.append(column.name) %}{% endfor -%}
    {%- set own_deleted_at -%}
        case
            when newest.is_deleted
                then coalesce(
                    newest.modified_at,
                    (select landed_at from ops.batches where batch_id = newest.batch_id)
                )
        end as own_deleted_at
    {%- endset -%}
    {%- if is_incremental() -%}
    select newest.{{ output | join(', newest.') }}, {{ own_deleted_at }}
    from newest
    left join {{ this }} as staged using (source_system, source_key)
    where staged.source_key is null or {{ is_newer('newest', 'staged') }}
    union all
    -- What is staged already and may be touched by a delete notice.
    select staged.{{ output | join(', staged.') }}, staged.deleted_at as own_deleted_at
    from {{ this }} as staged
    inner join (
        select distinct source_system, source_key from accepted where operation = 'delete'
    ) as noticed using (source_system, source_key)
    where not exists (
        select from newest
        where newest.source_system = staged.source_system
            and newest.source_key = staged.source_key
            and {{ is_newer('newest', 'staged') }}
    )
    {%- else -%}
    select newest.{{ output | join(', newest.') }}, {{ own_deleted_at }} from newest
    {%- endif -%}
{%- endmacro %}


{#- The one order of versions: the source's time (none is oldest), then arrival. -#}
{% macro is_newer(left, right) -%}
    (coalesce({{ left }}.modified_at, '-infinity'), {{ left }}.batch_id, {{ left }}.raw_id)
        > (coalesce({{ right }}.modified_at, '-infinity'), {{ right }}.batch_id, {{ right }}.raw_id)
{%- endmacro %}


{#- The latest deletion that is newer than the version; a notice without a time deletes what had
    arrived before it. -#}
{% macro deletion_time() -%}
        greatest(
            versions.own_deleted_at,
            case
                when notices.received is not null
                    then (
                        select max(coalesce(notice.modified_at, notice.landed_at))
                        from unnest(notices.received) as notice
                        where case
                            when notice.modified_at is null
                                then (notice.batch_id, notice.raw_id)
                                    > (versions.batch_id, versions.raw_id)
                            else {{ is_newer('notice', 'versions') }}
                        end
                    )
            end
        )
{%- endmacro %}


{% macro delete_notices() -%}
    {%- if execute -%}
    {%- set entities = [] -%}
    {%- for source in graph.sources.values() if source.source_name == 'raw' -%}
        {%- do entities.append(source.name) -%}
    {%- endfor -%}
with notices as (
    {%- for entity in entities | sort %}
    select
        '{{ entity }}'::text as entity,
        source_system,
        source_key,
        modified_at,
        batch_id,
        raw_id
    from (
        {{ accepted_rows(entity, source('raw', entity), business_columns(entity), "operation = 'delete'") }}
    ) as {{ entity }}
    where source_key is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select notices.*, batches.landed_at
    from notices
    inner join ops.batches as batches using (batch_id)
    {%- if is_incremental() %}
    where not exists (
        select from {{ this }} as known
        where known.entity = notices.entity
            and known.source_system = notices.source_system
            and known.raw_id = notices.raw_id
    )
    {%- endif %}
)

select * from final
    {%- endif -%}
{%- endmacro %}
