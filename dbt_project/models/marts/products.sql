{{ config(materialized='table', contract={'enforced': true}) }}

{%- set rules = ownership_rules() %}

with

unified_products as (
    select * from {{ source('identity', 'product_crosswalk') }}
    where is_current
),

-- A product that identity has not seen is known by its number.
records as (
    select
        products.*,
        products.kind as side,
        false as is_merged,
        unified_products.product_id as unified_product_id,
        coalesce(
            'id|' || unified_products.product_id, 'number|' || products.product_number
        ) as unified_key,
        row_number() over (
            partition by
                coalesce(
                    'id|' || unified_products.product_id, 'number|' || products.product_number
                )
            order by
                products.is_active desc nulls last,
                products.source_system asc,
                products.source_key asc
        ) as age
    from {{ ref('stg_products') }} as products
    left join unified_products
        on
            products.source_system = unified_products.source_system
            and products.source_key = unified_products.source_key
    where not products.is_deleted
),

golden_records as (
    select
        {% for field in [
            'product_number', 'name', 'description', 'category', 'unit', 'list_price',
            'standard_cost', 'weight_kg', 'is_active', 'substitutes_product_number',
        ] -%}
            {{ golden_value(rules, 'products.' ~ field, field) }} as {{ field }},
        {% endfor -%}
        {{ golden_value(rules, 'products.list_price', 'currency', 'list_price') }} as currency,
        {{ golden_value(rules, 'products.standard_cost', 'currency', 'standard_cost') }}
            as cost_currency,
        {% for side in ['crm', 'erp'] -%}
            (array_agg(source_system order by age) filter (where side = '{{ side }}'))[1]
                as {{ side }}_source_system,
            (array_agg(source_key order by age) filter (where side = '{{ side }}'))[1]
                as {{ side }}_product_id,
        {% endfor -%}
        min(unified_product_id) as product_id
    from records
    where unified_key is not null
    group by unified_key
),

-- A number that stands for several products is the one of the ERP that still sells it;
-- product_crosswalk shows all of them.
numbered as (
    select distinct on (product_number) *
    from golden_records
    where product_number is not null
    order by
        product_number asc,
        erp_product_id is null asc,
        is_active desc nulls last,
        erp_source_system asc,
        crm_source_system asc,
        product_id asc
),

unified as (
    select
        product_number,
        name,
        description,
        category,
        unit,
        list_price,
        currency,
        standard_cost,
        cost_currency,
        weight_kg,
        is_active,
        substitutes_product_number,
        crm_source_system,
        crm_product_id,
        erp_source_system,
        erp_product_id,
        product_id
    from numbered
)

select * from unified
