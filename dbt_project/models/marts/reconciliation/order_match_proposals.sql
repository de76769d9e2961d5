{{
    config(
        materialized='table',
        contract={'enforced': true},
    )
}}

with

orphans as (
    select
        pair_key,
        link_status,
        customer_id,
        currency,
        crm_source_system,
        crm_document_type,
        crm_document_id,
        crm_document_number,
        crm_date,
        crm_net_amount,
        erp_source_system,
        order_id,
        order_number,
        erp_date,
        erp_net_amount
    from {{ ref('order_reconciliation') }}
    where
        link_status in ('crm_only', 'erp_only')
        and cause in ('missing_in_erp', 'missing_in_crm')
        and customer_id is not null
),

-- Only what the other side lacks as well can be proposed, so nothing else has to be looked into.
customers_of_both as (
    select customer_id from orphans
    where link_status = 'crm_only'
    intersect
    select customer_id from orphans
    where link_status = 'erp_only'
),

orders as (
    select orphans.*
    from orphans
    inner join customers_of_both on orphans.customer_id = customers_of_both.customer_id
),

crm_orphans as (
    select * from orders
    where link_status = 'crm_only'
),

erp_orphans as (
    select * from orders
    where link_status = 'erp_only'
),

contents as (
    select
        lines.pair_key,
        string_agg(
            coalesce(lines.crm_product_key, lines.erp_product_key), ', '
            order by coalesce(lines.crm_product_key, lines.erp_product_key)
        ) as products
    from {{ ref('order_line_reconciliation') }} as lines
    inner join orders on lines.pair_key = orders.pair_key
    group by lines.pair_key
),

crm_sides as (
    select
        crm_orphans.*,
        contents.products
    from crm_orphans
    left join contents on crm_orphans.pair_key = contents.pair_key
),

erp_sides as (
    select
        erp_orphans.*,
        contents.products
    from erp_orphans
    left join contents on erp_orphans.pair_key = contents.pair_key
),

-- Found by equal keys only, so that it stays linear: the amount, or the products.
found as (
    select
        crm_sides.pair_key as crm_pair_key,
        erp_sides.pair_key as erp_pair_key
    from crm_sides
    inner join erp_sides
        on
            crm_sides.customer_id = erp_sides.customer_id
            and crm_sides.currency = erp_sides.currency
            and crm_sides.crm_net_amount = erp_sides.erp_net_amount
    union
    select
        crm_sides.pair_key as crm_pair_key,
        erp_sides.pair_key as erp_pair_key
    from crm_sides
    inner join erp_sides
        on
            crm_sides.customer_id = erp_sides.customer_id
            and crm_sides.products = erp_sides.products
),

compared as (
    select
        crm_sides.pair_key as crm_pair_key,
        erp_sides.pair_key as erp_pair_key,
        crm_sides.customer_id,
        crm_sides.crm_source_system,
        crm_sides.crm_document_type,
        crm_sides.crm_document_id,
        crm_sides.crm_document_number,
        crm_sides.crm_date,
        erp_sides.erp_source_system,
        erp_sides.order_id,
        erp_sides.order_number,
        erp_sides.erp_date,
        abs(erp_sides.erp_date - crm_sides.crm_date) as days_apart,
        crm_sides.currency as crm_currency,
        crm_sides.crm_net_amount,
        erp_sides.currency as erp_currency,
        erp_sides.erp_net_amount,
        coalesce(
            crm_sides.currency = erp_sides.currency
            and crm_sides.crm_net_amount = erp_sides.erp_net_amount, false
        ) as has_same_amount,
        coalesce(crm_sides.products = erp_sides.products, false) as has_same_products
    from found
    inner join crm_sides on found.crm_pair_key = crm_sides.pair_key
    inner join erp_sides on found.erp_pair_key = erp_sides.pair_key
    where abs(erp_sides.erp_date - crm_sides.crm_date) <= {{ proposal_days() }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by crm_pair_key
            order by {{ best_proposal_first() }}, erp_pair_key asc
        ) as rank_for_sale,
        row_number() over (
            partition by erp_pair_key
            order by {{ best_proposal_first() }}, crm_pair_key asc
        ) as rank_for_order
    from compared
),

proposals as (
    select
        crm_pair_key || ' = ' || erp_pair_key as proposal_key,
        crm_pair_key,
        erp_pair_key,
        customer_id,
        crm_source_system,
        crm_document_type,
        crm_document_id,
        crm_document_number,
        crm_date,
        crm_currency,
        crm_net_amount,
        erp_source_system,
        order_id,
        order_number,
        erp_date,
        erp_currency,
        erp_net_amount,
        days_apart,
        has_same_amount,
        has_same_products,
        concat_ws(
            ', ',
            'same customer',
            case when has_same_amount then 'same amount' end,
            case when has_same_products then 'same products' end,
            case
                when days_apart = 0 then 'same day'
                else days_apart || ' days apart'
            end
        ) as reason,
        rank_for_sale = 1 and rank_for_order = 1 as is_best_of_both
    from ranked
    where rank_for_sale <= 3
)

select * from proposals
