{{
    config(
        materialized='table',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}],
        post_hook='analyze {{ this }}',
    )
}}

with

orders as (
    select
        source_system,
        order_id,
        order_number,
        customer_id,
        order_date,
        status,
        currency,
        net_amount,
        tax_amount,
        fx_rate,
        net_amount_reporting,
        created_at,
        company,
        external_reference,
        crm_source_system,
        sales_order_id,
        quote_id,
        opportunity_id
    from {{ ref('orders') }}
),

sales_orders as (
    select
        source_system,
        source_key,
        order_number,
        account_id,
        opportunity_id,
        quote_id,
        status,
        order_date,
        currency,
        net_amount,
        created_at,
        erp_order_number
    from {{ ref('stg_sales_orders') }}
    where not is_deleted
),

quotes as (
    select * from {{ ref('stg_quotes') }}
    where not is_deleted
),

opportunities as (
    select * from {{ ref('stg_opportunities') }}
    where not is_deleted
),

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current
),

-- The revisions of one quote: the accepted one stands for all, else the last.
quote_chains as (
    select
        source_system,
        source_key as quote_id,
        opportunity_id,
        first_value(source_key) over chain as chain_id,
        bool_or(coalesce(status, '') = 'accepted') over chain as is_accepted
    from quotes
    window chain as (
        partition by
            source_system, coalesce(quote_number, source_key), opportunity_id, account_id
        order by
            coalesce(status, '') = 'accepted' desc,
            revision desc nulls last,
            source_key asc
    )
),

ordered_chains as (
    select distinct on (quote_chains.source_system, quote_chains.chain_id)
        quote_chains.source_system,
        quote_chains.chain_id,
        sales_orders.source_key as sales_order_id
    from sales_orders
    inner join quote_chains
        on
            sales_orders.source_system = quote_chains.source_system
            and sales_orders.quote_id = quote_chains.quote_id
    order by
        quote_chains.source_system asc,
        quote_chains.chain_id asc,
        sales_orders.order_date asc nulls last,
        sales_orders.source_key asc
),

-- An order that names a quote answers for that quote only.
ordered_opportunities as (
    select distinct on (source_system, opportunity_id)
        source_system,
        opportunity_id,
        source_key as sales_order_id
    from sales_orders
    where opportunity_id is not null and quote_id is null
    order by
        source_system asc,
        opportunity_id asc,
        order_date asc nulls last,
        source_key asc
),

-- The document that counts for each quote: its order, else the accepted revision.
quote_heads as (
    select
        quote_chains.source_system,
        quote_chains.quote_id,
        quote_chains.opportunity_id,
        case
            when
                coalesce(ordered_chains.sales_order_id, ordered_opportunities.sales_order_id)
                is not null
                then 'sales_order'
            when quote_chains.is_accepted then 'quote'
        end as document_type,
        coalesce(
            ordered_chains.sales_order_id,
            ordered_opportunities.sales_order_id,
            case when quote_chains.is_accepted then quote_chains.chain_id end
        ) as document_id
    from quote_chains
    left join ordered_chains
        on
            quote_chains.source_system = ordered_chains.source_system
            and quote_chains.chain_id = ordered_chains.chain_id
    left join ordered_opportunities
        on
            quote_chains.source_system = ordered_opportunities.source_system
            and quote_chains.opportunity_id = ordered_opportunities.opportunity_id
),

opportunities_with_a_head as (
    select
        source_system,
        opportunity_id
    from quote_heads
    where document_id is not null and opportunity_id is not null
    union
    select
        source_system,
        opportunity_id
    from sales_orders
    where opportunity_id is not null
),

won_opportunities as (
    select opportunities.*
    from opportunities
    left join opportunities_with_a_head
        on
            opportunities.source_system = opportunities_with_a_head.source_system
            and opportunities.source_key = opportunities_with_a_head.opportunity_id
    where opportunities.is_won and opportunities_with_a_head.opportunity_id is null
),

-- Each sale once along its chain: the order, else the accepted quote, else the won opportunity.
crm_sales as (
    select
        source_system,
        'sales_order' as document_type,
        source_key as document_id,
        order_number as document_number,
        account_id,
        order_date as document_date,
        status,
        currency,
        net_amount,
        created_at,
        erp_order_number
    from sales_orders
    union all
    select
        quotes.source_system,
        'quote' as document_type,
        quotes.source_key as document_id,
        quotes.quote_number as document_number,
        quotes.account_id,
        quotes.quote_date as document_date,
        quotes.status,
        quotes.currency,
        quotes.net_amount,
        quotes.created_at,
        null as erp_order_number
    from quotes
    inner join quote_heads
        on
            quotes.source_system = quote_heads.source_system
            and quotes.source_key = quote_heads.quote_id
    where quote_heads.document_type = 'quote' and quote_heads.document_id = quotes.source_key
    union all
    select
        source_system,
        'opportunity' as document_type,
        source_key as document_id,
        name as document_number,
        account_id,
        close_date as document_date,
        stage as status,
        currency,
        amount as net_amount,
        created_at,
        null as erp_order_number
    from won_opportunities
),

-- A header without an amount is worth its lines, if every one of them says what it is worth.
unpriced_sales as (
    {{ sums_of_unpriced_sales() }}
),

known_sales as (
    select
        crm_sales.source_system,
        crm_sales.document_type,
        crm_sales.document_id,
        crm_sales.document_number,
        crm_sales.document_date,
        crm_sales.status,
        crm_sales.currency,
        crm_sales.created_at,
        crm_sales.erp_order_number,
        crosswalk.customer_id,
        coalesce(crm_sales.net_amount, unpriced_sales.net_amount) as net_amount,
        {{ pair_key(
            'crm_sales.source_system', 'crm_sales.document_type', 'crm_sales.document_id'
        ) }} as own_key
    from crm_sales
    left join unpriced_sales
        on
            crm_sales.source_system = unpriced_sales.source_system
            and crm_sales.document_type = unpriced_sales.document_type
            and crm_sales.document_id = unpriced_sales.document_id
    left join crosswalk
        on
            crm_sales.source_system = crosswalk.source_system
            and crm_sales.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
),

referenced_opportunities as (
    select distinct on (source_key)
        source_key as opportunity_id,
        source_system
    from won_opportunities
    order by source_key asc, source_system asc
),

-- Which sale an order belongs to, by the keys that the order mart has resolved.
order_links as (
    select
        orders.source_system,
        orders.order_id,
        case
            when orders.sales_order_id is not null
                then
                    {{ pair_key(
                        'orders.crm_source_system', "'sales_order'", 'orders.sales_order_id'
                    ) }}
            when quote_heads.document_id is not null
                then
                    {{ pair_key(
                        'orders.crm_source_system',
                        'quote_heads.document_type',
                        'quote_heads.document_id'
                    ) }}
            when won_opportunities.source_key is not null
                then
                    {{ pair_key(
                        'orders.crm_source_system', "'opportunity'", 'won_opportunities.source_key'
                    ) }}
            when referenced_opportunities.opportunity_id is not null
                then
                    {{ pair_key(
                        'referenced_opportunities.source_system',
                        "'opportunity'",
                        'referenced_opportunities.opportunity_id'
                    ) }}
        end as sale_key,
        case
            when orders.sales_order_id is not null
                then
                    case
                        when sales_orders.erp_order_number = orders.order_number
                            then 'erp_order_number'
                        else 'external_reference'
                    end
            when coalesce(quote_heads.document_id, won_opportunities.source_key) is not null
                then 'quote_number'
            when referenced_opportunities.opportunity_id is not null then 'opportunity_id'
        end as link_method
    from orders
    left join sales_orders
        on
            orders.crm_source_system = sales_orders.source_system
            and orders.sales_order_id = sales_orders.source_key
    left join quote_heads
        on
            orders.crm_source_system = quote_heads.source_system
            and orders.quote_id = quote_heads.quote_id
    left join won_opportunities
        on
            orders.crm_source_system = won_opportunities.source_system
            and orders.opportunity_id = won_opportunities.source_key
    left join referenced_opportunities
        on
            orders.external_reference = referenced_opportunities.opportunity_id
            and orders.crm_source_system is null
),

linked_orders as (
    select
        orders.*,
        order_links.link_method,
        coalesce(
            order_links.sale_key,
            {{ pair_key('orders.source_system', "'order'", 'orders.order_id') }}
        ) as pair_key
    from orders
    inner join order_links
        on
            orders.source_system = order_links.source_system
            and orders.order_id = order_links.order_id
),

linked_keys as (
    select distinct pair_key from linked_orders
),

unlinked_sales as (
    select known_sales.*
    from known_sales
    left join linked_keys on known_sales.own_key = linked_keys.pair_key
    where known_sales.document_type = 'sales_order' and linked_keys.pair_key is null
),

-- A second sale that names an order of the same customer which already has one stands beside it.
second_sales as (
    select distinct on (own_key)
        own_key,
        pair_key,
        link_method
    from (
        select
            unlinked_sales.own_key,
            linked_orders.pair_key,
            linked_orders.order_id,
            'erp_order_number' as link_method
        from unlinked_sales
        inner join linked_orders
            on
                unlinked_sales.erp_order_number = linked_orders.order_number
                and unlinked_sales.customer_id = linked_orders.customer_id
        where linked_orders.link_method is not null
        union all
        select
            unlinked_sales.own_key,
            linked_orders.pair_key,
            linked_orders.order_id,
            'external_reference' as link_method
        from unlinked_sales
        inner join linked_orders
            on
                unlinked_sales.document_number = linked_orders.external_reference
                and unlinked_sales.customer_id = linked_orders.customer_id
        where linked_orders.link_method is not null
    ) as named
    order by own_key asc, link_method asc, pair_key asc, order_id asc
),

documents as (
    select
        coalesce(second_sales.pair_key, known_sales.own_key) as pair_key,
        'crm' as side,
        known_sales.source_system,
        known_sales.document_type,
        known_sales.document_id,
        known_sales.document_number,
        known_sales.customer_id,
        known_sales.document_date,
        known_sales.status,
        known_sales.currency,
        known_sales.net_amount,
        null::numeric as tax_amount,
        null::numeric as fx_rate,
        null::numeric as net_amount_reporting,
        known_sales.created_at,
        null as company,
        second_sales.link_method,
        second_sales.pair_key is not null as is_second
    from known_sales
    left join second_sales on known_sales.own_key = second_sales.own_key
    union all
    select
        pair_key,
        'erp' as side,
        source_system,
        'order' as document_type,
        order_id as document_id,
        order_number as document_number,
        customer_id,
        order_date as document_date,
        status,
        currency,
        net_amount,
        tax_amount,
        fx_rate,
        net_amount_reporting,
        created_at,
        company,
        link_method,
        false as is_second
    from linked_orders
),

placed as (
    select
        *,
        lower(coalesce(status, '')) ~ '^(cancel|void|closed lost)' as is_cancelled,
        row_number() over (
            partition by pair_key, side
            order by
                lower(coalesce(status, '')) ~ '^(cancel|void|closed lost)' asc,
                is_second asc,
                link_method is not distinct from 'erp_order_number' desc,
                document_date asc nulls last,
                created_at asc nulls last,
                source_system asc,
                document_id asc
        ) as place
    from documents
),

customer_companies as (
    select
        crosswalk.customer_id,
        min(customers.company) as company
    from crosswalk
    inner join {{ ref('stg_customers') }} as customers
        on
            crosswalk.source_system = customers.source_system
            and crosswalk.source_key = customers.source_key
    where crosswalk.entity = 'customers' and not customers.is_deleted
    group by crosswalk.customer_id
    having count(distinct customers.company) = 1
),

-- A pair is compared in the currency and at the rates of the day of its first ERP order.
pairs as (
    select
        pair_key,
        coalesce(
            max(currency) filter (where side = 'erp' and place = 1),
            max(currency) filter (where side = 'crm' and place = 1)
        ) as currency,
        coalesce(
            max(document_date) filter (where side = 'erp' and place = 1),
            max(document_date) filter (where side = 'crm' and place = 1)
        ) as rate_date,
        coalesce(
            max(source_system) filter (where side = 'erp' and place = 1),
            max(source_system) filter (where side = 'crm' and place = 1)
        ) as source_system,
        coalesce(
            max(customer_id) filter (where side = 'erp' and place = 1),
            max(customer_id) filter (where side = 'crm' and place = 1)
        ) as customer_id,
        max(company) filter (where side = 'erp' and place = 1) as company,
        count(*) filter (where side = 'crm') as crm_count,
        count(*) filter (where side = 'erp') as erp_count,
        count(*) filter (where side = 'crm' and not is_cancelled) as crm_counted,
        count(*) filter (where side = 'erp' and not is_cancelled) as erp_counted
    from placed
    group by pair_key
),

wanted_rates as (
    select
        source_system,
        currency,
        rate_date
    from pairs
    union
    select
        pairs.source_system,
        placed.currency,
        pairs.rate_date
    from placed
    inner join pairs on placed.pair_key = pairs.pair_key
    where placed.currency <> pairs.currency
),

conversions as (
    select * from {{ conversions('wanted_rates', 'rate_date') }}
),

rates as (
    select
        wanted_rates.*,
        {{ fx_rate('wanted_rates') }} as fx_rate
    from wanted_rates
    left join conversions
        on
            wanted_rates.source_system = conversions.source_system
            and wanted_rates.currency = conversions.currency
            and wanted_rates.rate_date = conversions.rate_date
),

currencies as (
    select * from {{ ref('currencies') }}
),

other_currencies as (
    select
        placed.pair_key,
        placed.side,
        placed.place,
        rates.fx_rate
    from placed
    inner join pairs on placed.pair_key = pairs.pair_key
    left join rates
        on
            pairs.source_system = rates.source_system
            and placed.currency = rates.currency
            and pairs.rate_date = rates.rate_date
    where placed.currency <> pairs.currency
),

converted as (
    select
        placed.*,
        pairs.currency as pair_currency,
        pairs.customer_id as pair_customer_id,
        coalesce(pairs.company, customer_companies.company) as pair_company,
        pair_rates.fx_rate as pair_fx_rate,
        coalesce(pair_currencies.minor_units, 2) as minor_units,
        coalesce(own_currencies.minor_units, pair_currencies.minor_units, 2) as own_minor_units,
        coalesce(placed.currency, pairs.currency) is distinct from pairs.currency
            as is_other_currency,
        case
            when coalesce(placed.currency, pairs.currency) is distinct from pairs.currency
                then own_rates.fx_rate / nullif(pair_rates.fx_rate, 0)
            else 1
        end as factor,
        case
            when coalesce(placed.currency, pairs.currency) is distinct from pairs.currency
                then
                    round(
                        placed.net_amount * own_rates.fx_rate / nullif(pair_rates.fx_rate, 0),
                        coalesce(pair_currencies.minor_units, 2)
                    )
            else placed.net_amount
        end as converted_amount,
        case
            when pairs.erp_count = 0 and pairs.crm_counted > 0 then 'missing_in_erp'
            when pairs.crm_count = 0 and pairs.erp_counted > 0 then 'missing_in_crm'
            when pairs.crm_counted = 0 and pairs.erp_counted = 0 then null
            when pairs.crm_counted = 0 or pairs.erp_counted = 0 then 'cancelled'
        end as pair_cause
    from placed
    inner join pairs on placed.pair_key = pairs.pair_key
    left join customer_companies on pairs.customer_id = customer_companies.customer_id
    left join currencies as pair_currencies on pairs.currency = pair_currencies.code
    left join currencies as own_currencies on placed.currency = own_currencies.code
    left join rates as pair_rates
        on
            pairs.source_system = pair_rates.source_system
            and pairs.currency = pair_rates.currency
            and pairs.rate_date = pair_rates.rate_date
    left join other_currencies as own_rates
        on
            placed.pair_key = own_rates.pair_key
            and placed.side = own_rates.side
            and placed.place = own_rates.place
),

crowded as (
    select pair_key from pairs
    where crm_counted > 1 or erp_counted > 1
),

crowded_documents as (
    select converted.*
    from converted
    inner join crowded on converted.pair_key = crowded.pair_key
    where not converted.is_cancelled
),

crowded_lines as (
    {{ products_of_crowded_documents() }}
),

contents as (
    select
        pair_key,
        side,
        place,
        string_agg(
            concat_ws('|', product_number, trim_scale(quantity)), ', '
            order by product_number asc, quantity asc
        ) as contents
    from crowded_lines
    group by pair_key, side, place
),

other_sides as (
    select
        pair_key,
        side,
        product_number,
        sum(quantity) as quantity
    from crowded_lines
    group by pair_key, side, product_number
),

sides_with_lines as (
    select distinct
        pair_key,
        side
    from crowded_lines
),

ordered_before as (
    select
        *,
        sum(quantity) over (
            partition by pair_key, side, product_number
            order by place asc
            rows between unbounded preceding and current row
        ) - quantity as quantity_before
    from crowded_lines
),

-- Beyond what the other side has of each product: with this document too much, not too little.
beyond as (
    select
        ordered_before.pair_key,
        ordered_before.side,
        ordered_before.place,
        bool_and(
            2 * ordered_before.quantity_before + ordered_before.quantity
            > 2 * coalesce(other_sides.quantity, 0)
        ) as is_beyond
    from ordered_before
    inner join sides_with_lines
        on
            ordered_before.pair_key = sides_with_lines.pair_key
            and ordered_before.side <> sides_with_lines.side
    left join other_sides
        on
            ordered_before.pair_key = other_sides.pair_key
            and ordered_before.side <> other_sides.side
            and ordered_before.product_number is not distinct from other_sides.product_number
    group by ordered_before.pair_key, ordered_before.side, ordered_before.place
),

amounts_beyond as (
    select
        crowded_documents.pair_key,
        crowded_documents.side,
        crowded_documents.place,
        2 * sum(crowded_documents.converted_amount) over (
            partition by crowded_documents.pair_key, crowded_documents.side
            order by crowded_documents.place asc
            rows between unbounded preceding and current row
        ) - crowded_documents.converted_amount
        > 2 * coalesce(
            case
                when crowded_documents.side = 'erp'
                    then
                        sum(crowded_documents.converted_amount) filter (
                            where crowded_documents.side = 'crm'
                        ) over (partition by crowded_documents.pair_key)
                else
                    sum(crowded_documents.converted_amount) filter (
                        where crowded_documents.side = 'erp'
                    ) over (partition by crowded_documents.pair_key)
            end, 0
        ) as is_beyond
    from crowded_documents
),

-- A second document with the same contents, where the other side has only one of them.
duplicates as (
    select
        repeated.pair_key,
        repeated.side,
        repeated.place
    from (
        select
            contents.*,
            row_number() over (
                partition by pair_key, side, contents order by place asc
            ) as occurrence
        from contents
    ) as repeated
    left join beyond
        on
            repeated.pair_key = beyond.pair_key
            and repeated.side = beyond.side
            and repeated.place = beyond.place
    left join amounts_beyond
        on
            repeated.pair_key = amounts_beyond.pair_key
            and repeated.side = amounts_beyond.side
            and repeated.place = amounts_beyond.place
    where
        repeated.occurrence > 1
        and coalesce(beyond.is_beyond, amounts_beyond.is_beyond, false)
),

judged as (
    select
        converted.pair_key,
        converted.side,
        converted.place::integer as place,
        converted.source_system,
        converted.document_type,
        converted.document_id,
        converted.document_number,
        converted.link_method,
        converted.pair_customer_id as customer_id,
        converted.pair_company as company,
        converted.document_date,
        converted.created_at,
        converted.status,
        converted.is_cancelled,
        duplicates.place is not null as is_duplicate,
        converted.currency,
        converted.net_amount,
        converted.tax_amount,
        converted.net_amount_reporting,
        converted.own_minor_units,
        converted.pair_currency,
        converted.minor_units,
        converted.factor,
        converted.is_other_currency,
        converted.converted_amount::numeric(28, 4) as converted_amount,
        converted.pair_fx_rate,
        {{ reporting_currency() }} as reporting_currency,
        converted.pair_cause,
        bool_and(converted.is_cancelled or converted.converted_amount is not null) over (
            partition by converted.pair_key
        ) as is_comparable
    from converted
    left join duplicates
        on
            converted.pair_key = duplicates.pair_key
            and converted.side = duplicates.side
            and converted.place = duplicates.place
),

signed as (
    select
        *,
        (sum(hash_record_extended(judged, 0)) over (partition by pair_key))::text as signature
    from judged
)

select * from signed
