-- The ERP's end of the waterfall is what the order mart sums up to, in every currency; orders that
-- were converted into the currency of their sale's first order are left out on both sides.
with

converted_pairs as (
    select distinct pair_key from {{ ref('reconciliation_documents') }}
    where side = 'erp' and is_other_currency
),

ends as (
    select
        currency,
        sum(erp_net_amount) as net_amount
    from {{ ref('order_reconciliation') }}
    where
        order_count > 0
        and erp_net_amount is not null
        and pair_key not in (select pair_key from converted_pairs)
    group by currency
),

orders as (
    select
        coalesce(orders.currency, documents.pair_currency) as currency,
        sum(orders.net_amount) filter (where orders.status is distinct from 'cancelled')
            as net_amount
    from {{ ref('orders') }} as orders
    inner join {{ ref('reconciliation_documents') }} as documents
        on
            orders.source_system = documents.source_system
            and orders.order_id = documents.document_id
            and documents.side = 'erp'
    inner join {{ ref('order_reconciliation') }} as pairs on documents.pair_key = pairs.pair_key
    where
        pairs.erp_net_amount is not null
        and documents.pair_key not in (select pair_key from converted_pairs)
    group by coalesce(orders.currency, documents.pair_currency)
)

select
    coalesce(ends.currency, orders.currency) as currency,
    ends.net_amount as reconciled_amount,
    orders.net_amount as ordered_amount
from ends
full outer join orders on coalesce(ends.currency, '-') = coalesce(orders.currency, '-')
where coalesce(ends.net_amount, 0) <> coalesce(orders.net_amount, 0)
