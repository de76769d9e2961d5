{#- The accounts and customers that may have changed, or whose address may have, since they were last computed. -#}
{% macro identity_affected_customers() %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set since = identity_watermark() -%}
    {{- affected_keys([
        identity_changed('accounts', since),
        identity_changed('customers', since),
        identity_vanished('accounts'),
        identity_vanished('customers'),
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
    {{- affected_keys([
        identity_changed(entity, identity_watermark()), identity_vanished(entity)
    ]) -}}
{% endmacro %}

{#- The run that the newest record was computed by. -#}
{% macro identity_watermark() -%}
    (select coalesce(max(version), 0) from {{ this }})
{%- endmacro %}

{% macro identity_changed(entity, since) -%}
    select source_system, '{{ entity }}' as entity, source_key from {{ ref('stg_' ~ entity) }}
    where version > {{ since }}
{%- endmacro %}

{#- Records that staging knows no more. -#}
{% macro identity_vanished(entity) -%}
    select source_system, entity, source_key from {{ this }} as record
    where
        entity = '{{ entity }}'
        and not exists (
            select from {{ ref('stg_' ~ entity) }} as staged
            where
                staged.source_system = record.source_system
                and staged.source_key = record.source_key
        )
{%- endmacro %}
