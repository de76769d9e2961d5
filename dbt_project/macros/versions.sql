{#- Every accepted version of an entity's records, also those that others replaced, so that what was
    known at any time can be asked for. Raw keeps them all, so a full refresh finds them again. -#}
{% macro accepted_versions(entity) -%}
    {%- do ref('incoming_' ~ entity) -%}
    {%- do ref('country_spellings') -%}
    {%- set raw = source('raw', entity) -%}
    {%- if execute -%}
        {%- set columns = business_columns(entity) -%}
        {%- set values = columns | rejectattr('name', 'in', ['is_deleted', 'created_at', 'modified_at']) | list -%}
with accepted as (
    {{ accepted_rows(entity, raw, columns) }}
),

final as (
    select
        accepted.source_system,
        accepted.source_key,
        {{ column_list(values, 'accepted.') }},
        accepted.operation = 'delete' or coalesce(accepted.is_deleted, false) as is_deleted,
        accepted.created_at,
        coalesce(accepted.modified_at, batches.landed_at) as valid_from,
        accepted.modified_at is not null as has_source_time,
        batches.landed_at as recorded_at,
        accepted.batch_id,
        accepted.raw_id,
        {{ current_version() }} as version
    from accepted
    inner join ops.batches as batches on accepted.batch_id = batches.batch_id
    where accepted.source_key is not null
)

select * from final
    {%- else -%}
select * from {{ raw }}
    {%- endif -%}
{%- endmacro %}

{#- Versions with the time until which each of them held. Of two from the same moment the one that
    arrived later holds. A delete notice holds too, as a version that is not there; where it names no
    time, what arrives after it holds from then on, however old it says it is. -#}
{% macro periods_of_versions(versions) -%}
    (
        select
            placed.*,
            coalesce(
                lead(placed.held_from) over (
                    partition by placed.source_system, placed.source_key
                    order by placed.held_from, placed.batch_id, placed.raw_id
                ), 'infinity'
            ) as held_to
        from (
            select
                *,
                greatest(
                    valid_from,
                    max(valid_from) filter (where is_deleted and not has_source_time) over (
                        partition by source_system, source_key order by batch_id, raw_id
                    )
                ) as held_from
            from {{ versions }}
        ) as placed
    )
{%- endmacro %}
