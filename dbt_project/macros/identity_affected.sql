{#- The records whose source rows, or whose address, may have changed since they were last computed. -#}
{% macro identity_affected_records() %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set since = '(select coalesce(max(version), 0) from ' ~ this ~ ')' -%}
    {{- affected_keys([
        "select source_system, 'accounts' as entity, source_key from " ~ ref('stg_accounts')
            ~ " where version > " ~ since,
        "select loser.source_system, 'accounts', loser.source_key from " ~ ref('stg_accounts')
            ~ " as loser join " ~ ref('stg_accounts') ~ " as winner on loser.source_system = winner.source_system"
            ~ " and loser.merged_into_id = winner.source_key where winner.version > " ~ since,
        "select source_system, 'customers', source_key from " ~ ref('stg_customers')
            ~ " where version > " ~ since,
        "select source_system, 'customers', customer_id from " ~ ref('stg_addresses')
            ~ " where version > " ~ since,
        "select record.source_system, record.entity, record.source_key from " ~ this ~ " as record join "
            ~ ref('stg_addresses') ~ " as address on record.source_system = address.source_system"
            ~ " and record.address_key = address.source_key where address.version > " ~ since,
        "select source_system, entity, source_key from " ~ this ~ " as record where entity = 'accounts'"
            ~ " and not exists (select from " ~ ref('stg_accounts') ~ " as account where"
            ~ " account.source_system = record.source_system and account.source_key = record.source_key)",
        "select source_system, entity, source_key from " ~ this ~ " as record where entity = 'customers'"
            ~ " and not exists (select from " ~ ref('stg_customers') ~ " as customer where"
            ~ " customer.source_system = record.source_system and customer.source_key = record.source_key)",
    ]) -}}
{% endmacro %}

{#- A value on more records of one system than this is a shared one and links nobody. -#}
{% macro identity_shared_value_limit() %}
    {{- return(5) -}}
{% endmacro %}
