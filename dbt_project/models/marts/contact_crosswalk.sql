{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['crosswalk_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'entity', 'source_key']}, {'columns': ['contact_id']}],
        meta={'touches': []},
        pre_hook="{{ affected_keys(['select crosswalk_id from ' ~ marts_changed(source('identity', 'contact_crosswalk')) ~ ' as changed']) }}",
    )
}}

with

crosswalk as (
    select * from {{ source('identity', 'contact_crosswalk') }}
    where {{ only_affected(['crosswalk_id']) }}
),

published as (
    select
        crosswalk_id,
        contact_id,
        source_system,
        entity,
        source_key,
        method,
        rule,
        probability,
        valid_from,
        valid_to,
        is_current
    from crosswalk
)

select * from published
