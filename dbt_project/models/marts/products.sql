{{ config(materialized='table', contract={'enforced': true}) }}

with

products as (
    select * from {{ ref('stg_products') }}
    where not is_deleted and product_number is not null
),

erp_products as (
    select distinct on (product_number) *
    from products
    where kind = 'erp'
    order by product_number asc, is_active desc nulls last, source_system asc, source_key asc
),

crm_products as (
    select distinct on (product_number) *
    from products
    where kind = 'crm'
    order by product_number asc, is_active desc nulls last, source_system asc, source_key asc
),

-- The ERP owns product data; the CRM fills what the ERP leaves open.
unified as (
    select
        coalesce(erp.product_number, crm.product_number) as product_number,
        coalesce(erp.name, crm.name) as name,
        erp.description,
        erp.category,
        coalesce(erp.unit, crm.unit) as unit,
        coalesce(erp.list_price, crm.list_price) as list_price,
        case when erp.list_price is not null then erp.currency else crm.currency end as currency,
        erp.standard_cost,
        case when erp.standard_cost is not null then erp.currency end as cost_currency,
        erp.weight_kg,
        coalesce(erp.is_active, crm.is_active) as is_active,
        erp.substitutes_product_number,
        crm.source_system as crm_source_system,
        crm.source_key as crm_product_id,
        erp.source_system as erp_source_system,
        erp.source_key as erp_product_id
    from erp_products as erp
    full outer join crm_products as crm on erp.product_number = crm.product_number
)

select * from unified
