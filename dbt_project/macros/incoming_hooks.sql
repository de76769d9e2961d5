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
