{#- After an incoming table is built: which rows are the newest of their key, and which document a
    bare delete notice belongs to. Nearly all keys come once, so only the others are ranked. -#}
{% macro mark_older_versions(table, node) -%}
    {%- if node.config.meta.entity -%}
with repeated as (
    select source_system, source_key
    from {{ table }}
    where source_key is not null
    group by source_system, source_key
    having count(*) > 1
),

timed as (
    select
        version.ctid as row_id,
        version.source_system,
        version.source_key,
        version.batch_id,
        version.raw_id,
        -- A notice without a time deletes whatever had arrived before it.
        coalesce(
            version.modified_at,
            case when version.operation = 'delete' then max(version.modified_at) over arrival end
        ) as effective_at
    from {{ table }} as version
    inner join repeated using (source_system, source_key)
    window arrival as (
        partition by version.source_system, version.source_key
        order by version.batch_id, version.raw_id
    )
),

ranked as (
    select
        row_id,
        row_number() over (
            partition by source_system, source_key
            order by effective_at desc nulls last, batch_id desc, raw_id desc
        ) as age
    from timed
)

update {{ table }} as older set is_newest = false
from ranked where older.ctid = ranked.row_id and ranked.age > 1
    {%- endif -%}
{%- endmacro %}


{% macro place_delete_notices(table, node) -%}
    {%- set meta = node.config.meta -%}
    {%- set staged = adapter.get_relation(this.database, 'staging', meta.entity) if execute and meta.document_key -%}
    {%- if staged and meta.document_key -%}
update {{ table }} as notice set document_key = staged.{{ meta.document_key }}
from {{ staged }} as staged
where notice.document_key is null
    and staged.source_system = notice.source_system
    and staged.source_key = notice.source_key
    {%- endif -%}
{%- endmacro %}


{#- What one delivery says twice of one key, where nothing tells which is newer. A key is of one
    record, so lines that differ are two lines of which one would be lost: their documents are held,
    also where the key came in another document. Other records take what stands last, as rows of a
    flat file repeat their header, and are flagged where the rows differ. -#}
{% macro mark_repeated_keys(table, node) -%}
    {%- if node.config.meta.entity and execute -%}
    {%- set columns = business_columns(node.config.meta.entity) -%}
with older as materialized (
    select ctid as older_id, * from {{ table }}
    where not is_newest and operation = 'upsert' and source_key is not null
        and is_deleted is not true
),

repeated as (
    select
        newest.ctid as newest_id,
        older.older_id,
        newest.document_key is distinct from older.document_key as is_of_another_document,
        ({{ column_list(columns, 'newest.') }})
        is distinct from ({{ column_list(columns, 'older.') }}) as is_different
    from older
    inner join {{ table }} as newest using (source_system, source_key, batch_id)
    where newest.is_newest and newest.operation = 'upsert' and newest.is_deleted is not true
        and newest.modified_at is not distinct from older.modified_at
),

marked as (
    {{ marks_of_lines() if is_part_of_document(node) else marks_of_records() }}
)

update {{ table }} as row_of_key
set failed_rules = coalesce(row_of_key.failed_rules, '{}') || marked.rule
from marked
where row_of_key.ctid = marked.row_id
    {%- endif -%}
{%- endmacro %}


{% macro marks_of_lines() -%}
    select
        newest_id as row_id,
        case
            when bool_or(is_different) then 'key_is_of_one_line' else 'line_is_given_once'
        end as rule
    from repeated
    group by newest_id
    union all
    select older_id as row_id, 'key_is_of_one_line' as rule
    from repeated
    where is_of_another_document
{%- endmacro %}


{% macro marks_of_records() -%}
    select newest_id as row_id, 'rows_of_one_key_agree'::text as rule
    from repeated
    where is_different
    group by newest_id
{%- endmacro %}


{#- Whether rows of an entity are parts of a document whose header is another entity. -#}
{% macro is_part_of_document(node) -%}
    {%- set document_key = node.config.meta.document_key -%}
    {{ return(document_key and not node.columns[document_key].config.meta.key) }}
{%- endmacro %}
