{{
    config(
        materialized='table',
        contract={'enforced': true},
        indexes=[{'columns': ['product_number', 'source_system']}],
        post_hook='analyze {{ this }}',
    )
}}

with

-- A product that identity has not seen is known by its number.
records as (
    select
        products.source_system,
        products.is_active,
        products.source_key,
        {{ function('normalise_product_number') }}(products.product_number) as product_number,
        {{ function('normalise_product_number') }}(products.substitutes_product_number)
            as substitutes_product_number,
        coalesce(
            crosswalk.product_id,
            'number|' || {{ function('normalise_product_number') }}(products.product_number)
        ) as product_key
    from {{ ref('stg_products') }} as products
    left join {{ source('identity', 'product_crosswalk') }} as crosswalk
        on
            products.source_system = crosswalk.source_system
            and products.source_key = crosswalk.source_key
            and crosswalk.is_current
    where not products.is_deleted
),

numbers_of_systems as (
    select distinct on (source_system, product_number)
        source_system,
        product_number,
        product_key
    from records
    where product_number is not null
    order by
        source_system asc,
        product_number asc,
        is_active desc nulls last,
        source_key asc
),

numbers_of_rules as (
    select {{ function('normalise_product_number') }}(product_number) as product_number
    from {{ ref('product_substitutions') }}
    union
    select {{ function('normalise_product_number') }}(substitutes_product_number)
    from {{ ref('product_substitutions') }}
    union
    select {{ function('normalise_product_number') }}(kit_product_number)
    from {{ ref('kit_parts') }}
    union
    select {{ function('normalise_product_number') }}(part_product_number)
    from {{ ref('kit_parts') }}
    union
    select {{ function('normalise_product_number') }}(product_number)
    from {{ ref('unit_conversions') }}
    union
    select substitutes_product_number from records
),

-- A number that means one product wherever it is known means it where it is not known, too.
numbers as (
    select
        source_system,
        product_number,
        product_key
    from numbers_of_systems
    union all
    select
        '' as source_system,
        product_number,
        min(product_key) as product_key
    from numbers_of_systems
    group by product_number
    having count(distinct product_key) = 1
    union all
    select
        '' as source_system,
        numbers_of_rules.product_number,
        'number|' || numbers_of_rules.product_number as product_key
    from numbers_of_rules
    left join numbers_of_systems
        on numbers_of_rules.product_number = numbers_of_systems.product_number
    where
        numbers_of_rules.product_number is not null
        and numbers_of_systems.product_number is null
),

declared as (
    select
        records.product_key,
        coalesce(own_numbers.product_key, any_numbers.product_key) as substituted_key
    from records
    left join numbers as own_numbers
        on
            records.substitutes_product_number = own_numbers.product_number
            and records.source_system = own_numbers.source_system
    left join numbers as any_numbers
        on
            records.substitutes_product_number = any_numbers.product_number
            and any_numbers.source_system = ''
    where records.substitutes_product_number is not null
    union all
    select
        left_numbers.product_key,
        right_numbers.product_key as substituted_key
    from {{ ref('product_substitutions') }} as rules
    inner join numbers as left_numbers
        on
            {{ function('normalise_product_number') }}(rules.product_number)
            = left_numbers.product_number
    inner join numbers as right_numbers
        on
            {{ function('normalise_product_number') }}(rules.substitutes_product_number)
            = right_numbers.product_number
),

edges as (
    select
        product_key,
        substituted_key as other_key
    from declared
    where substituted_key is not null
    union
    select
        substituted_key as product_key,
        product_key as other_key
    from declared
    where substituted_key is not null
),

-- A recursive query of its own: what stands before this one is not to become recursive with it.
reached as (
    with recursive steps as (
        select
            product_key,
            other_key
        from edges
        union
        select
            steps.product_key,
            edges.other_key
        from steps
        inner join edges on steps.other_key = edges.product_key
    )

    select
        product_key,
        other_key
    from steps
),

families as (
    select
        product_key,
        least(product_key, min(other_key)) as substitution_key
    from reached
    group by product_key
),

known as (
    select
        numbers.source_system,
        numbers.product_number,
        numbers.product_key,
        families.substitution_key
    from numbers
    left join families on numbers.product_key = families.product_key
)

select * from known
