{{
    config(
        materialized='table',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'source_key']}, {'columns': ['product_id']}],
    )
}}

with

crosswalk as (
    select * from {{ source('identity', 'product_crosswalk') }}
),

products as (
    select * from {{ ref('stg_products') }}
),

published as (
    select
        crosswalk.crosswalk_id,
        crosswalk.product_id,
        crosswalk.source_system,
        crosswalk.entity,
        crosswalk.source_key,
        crosswalk.method,
        crosswalk.rule,
        crosswalk.probability,
        crosswalk.valid_from,
        crosswalk.valid_to,
        crosswalk.is_current,
        products.product_number,
        products.name
    from crosswalk
    left join products
        on
            crosswalk.source_system = products.source_system
            and crosswalk.source_key = products.source_key
)

select * from published
