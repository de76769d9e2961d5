{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'entity', 'source_key'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected('products') }}",
        post_hook=["{{ identity_note_gone('products') }}", '{{ identity_analyze() }}'],
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}

with

products as (
    select * from {{ ref('stg_products') }}
    where
        not is_deleted
        and {{ only_affected(['source_system', "'products'", 'source_key']) }}
),

features as (
    select
        {{ identity_record('source_system', "'products'", 'source_key') }} as record,
        source_system,
        'products' as entity,
        source_key,
        kind,
        is_deleted,
        {{ current_version() }} as version,
        null::text as merged_into,
        null::text as external_id,
        product_number as record_number,
        product_number,
        {{ function('normalise_product_number') }}(product_number) as normalised_number,
        {{ function('is_gtin') }}(regexp_replace(product_number, '[\s-]', '', 'g')) as is_gtin,
        name,
        {{ function('fold_words') }}(name) as normalised_name,
        lower(btrim(unit)) as unit,
        null::text[] as conflict_keys
    from products
)

select * from features
