{#- The accounts and customers that may have changed, or whose address may have, since they were last computed. -#}
{% macro identity_affected_customers() %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set since = identity_watermark() -%}
    {{- affected_keys([
        identity_changed('accounts', since),
        identity_changed('customers', since),
        identity_vanished('accounts', since),
        identity_vanished('customers', since),
        "select loser.source_system, 'accounts', loser.source_key from " ~ ref('stg_accounts')
            ~ " as loser join " ~ ref('stg_accounts') ~ " as winner on loser.source_system = winner.source_system"
            ~ " and loser.merged_into_id = winner.source_key where winner.version > " ~ since,
        "select source_system, 'customers', customer_id from " ~ ref('stg_addresses')
            ~ " where version > " ~ since,
        "select record.source_system, record.entity, record.source_key from (select source_system, entity,"
            ~ " source_key, unnest(address_keys) as address_key from " ~ this ~ ") as record join "
            ~ ref('stg_addresses') ~ " as address on record.source_system = address.source_system"
            ~ " and record.address_key = address.source_key where address.version > " ~ since,
    ]) -}}
{% endmacro %}

{#- The same for records that are made of one staging table alone. -#}
{% macro identity_affected(entity) %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set since = identity_watermark() -%}
    {{- affected_keys([identity_changed(entity, since), identity_vanished(entity, since)]) -}}
{% endmacro %}

{#- The run that the newest record was computed by. -#}
{% macro identity_watermark() -%}
    (select coalesce(max(version), 0) from {{ this }})
{%- endmacro %}

{% macro identity_changed(entity, since) -%}
    select source_system, '{{ entity }}' as entity, source_key from {{ ref('stg_' ~ entity) }}
    where version > {{ since }}
{%- endmacro %}

{#- Records that staging knows no more. Rows never leave a staging table but when it is made anew,
    and then none is older than that: one older row is enough to know that nothing has vanished. -#}
{% macro identity_vanished(entity, since) -%}
    select source_system, entity, source_key from {{ this }} as record
    where
        entity = '{{ entity }}'
        and (select min(version) from {{ ref('stg_' ~ entity) }}) <= {{ since }} is not true
        and not exists (
            select from {{ ref('stg_' ~ entity) }} as staged
            where
                staged.source_system = record.source_system
                and staged.source_key = record.source_key
        )
{%- endmacro %}

{#- Write down which of the affected records are gone, for all that is made of records. -#}
{% macro identity_note_gone(domain) %}
    {%- set gone = source('identity', 'gone_records') %}
    insert into {{ gone }} (domain, record, version)
    {%- if is_incremental() %}
    select '{{ domain }}', {{ identity_record('source_system', 'entity', 'source_key') }},
        coalesce({{ current_version() }}, 0)
    from {{ affected_table() }} as affected
    where
        not exists (
            select from {{ this }} as kept
            where
                kept.record
                = {{ identity_record('affected.source_system', 'affected.entity', 'affected.source_key') }}
        )
    {%- else %}
    values ('{{ domain }}', '*', coalesce({{ current_version() }}, 0))
    {%- endif %}
    on conflict (domain, record) do update set version = excluded.version
{% endmacro %}

{#- The records that a table made of records may hold what is outdated of: computed anew since, or gone. -#}
{% macro identity_affected_records(records, domain) %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set since = identity_watermark() -%}
    {%- set gone = source('identity', 'gone_records') -%}
    {{- affected_keys([
        "select record from " ~ ref(records) ~ " where version > " ~ since,
        "select record from " ~ gone ~ " where domain = '" ~ domain ~ "' and version > " ~ since,
        "select held.record from " ~ this ~ " as held where exists (select from " ~ gone
            ~ " where domain = '" ~ domain ~ "' and record = '*' and version > " ~ since
            ~ ") and not exists (select from " ~ ref(records) ~ " as kept where kept.record = held.record)",
    ]) -}}
{% endmacro %}

{#- Statistics after a change that matters to them; reading a sample of a large table takes longer
    than a small change itself. -#}
{% macro identity_analyze() -%}
    {%- if is_incremental() -%}
        do $body$
        begin
            if
                (select count(*) from {{ affected_table() }})
                > (select reltuples / 10 from pg_class where oid = '{{ this }}'::regclass)
            then
                analyze {{ this }};
            end if;
        end
        $body$
    {%- else -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
