{#-
    Which commercial orders belong together, worked out for all of them from keys alone, so that what
    it takes to compare them is done only for pairs whose documents changed.
-#}

{#- Every CRM sale, once along its chain, and every ERP order, with the pair that it belongs to. -#}
{% macro linked_documents() -%}
with

orders as (
    select
        source_system,
        order_id,
        order_number,
        customer_id,
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
        order_date,
        erp_order_number
    from {{ ref('stg_sales_orders') }}
    where not is_deleted
),

quotes as (
    select
        source_system,
        source_key,
        quote_number,
        revision,
        status,
        account_id,
        opportunity_id
    from {{ ref('stg_quotes') }}
    where not is_deleted
),

opportunities as (
    select
        source_system,
        source_key,
        is_won
    from {{ ref('stg_opportunities') }}
    where not is_deleted
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
known_sales as (
    select
        source_system,
        'sales_order' as document_type,
        source_key as document_id,
        {{ pair_key('source_system', "'sales_order'", 'source_key') }} as own_key
    from sales_orders
    union all
    select
        source_system,
        document_type,
        quote_id as document_id,
        {{ pair_key('source_system', 'document_type', 'quote_id') }} as own_key
    from quote_heads
    where document_type = 'quote' and document_id = quote_id
    union all
    select
        source_system,
        'opportunity' as document_type,
        source_key as document_id,
        {{ pair_key('source_system', "'opportunity'", 'source_key') }} as own_key
    from won_opportunities
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
        orders.order_number,
        orders.customer_id,
        orders.external_reference,
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
        *,
        coalesce(
            sale_key, {{ pair_key('source_system', "'order'", 'order_id') }}
        ) as pair_key
    from order_links
),

unlinked_sales as (
    select
        sales_orders.order_number,
        sales_orders.erp_order_number,
        crosswalk.customer_id,
        {{ pair_key('sales_orders.source_system', "'sales_order'", 'sales_orders.source_key') }}
            as own_key
    from sales_orders
    inner join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            sales_orders.source_system = crosswalk.source_system
            and sales_orders.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
            and crosswalk.is_current
    where
        not exists (
            select from linked_orders
            where
                linked_orders.sale_key
                = {{ pair_key(
                    'sales_orders.source_system', "'sales_order'", 'sales_orders.source_key'
                ) }}
        )
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
                unlinked_sales.order_number = linked_orders.external_reference
                and unlinked_sales.customer_id = linked_orders.customer_id
        where linked_orders.link_method is not null
    ) as named
    order by own_key asc, link_method asc, pair_key asc, order_id asc
)

select
    'crm' as side,
    known_sales.source_system,
    known_sales.document_type,
    known_sales.document_id,
    coalesce(second_sales.pair_key, known_sales.own_key) as pair_key,
    second_sales.link_method,
    second_sales.pair_key is not null as is_second
from known_sales
left join second_sales on known_sales.own_key = second_sales.own_key
union all
select
    'erp' as side,
    source_system,
    'order' as document_type,
    order_id as document_id,
    pair_key,
    link_method,
    false as is_second
from linked_orders
{%- endmacro %}

{#- Where an incremental run keeps what `linked_documents` returned. -#}
{% macro links_table() -%} pg_temp.links_of_{{ model.name }} {%- endmacro %}

{#- Pairs whose documents came, went, moved or changed, or whose lines, rates or company did. -#}
{% macro affected_pairs_of_documents() %}
    {%- if execute and not is_incremental() -%} {{- return('') -}} {%- endif -%}
    {%- set queries = [
        "select key.pair_key from " ~ links_table() ~ " as links full outer join " ~ this ~ " as previous"
            ~ " on links.side = previous.side and links.document_type = previous.document_type"
            ~ " and links.source_system = previous.source_system and links.document_id = previous.document_id"
            ~ " cross join lateral (values (links.pair_key), (previous.pair_key)) as key (pair_key)"
            ~ " where links.pair_key is distinct from previous.pair_key"
            ~ " or links.link_method is distinct from previous.link_method",
        "select document.pair_key from " ~ this ~ " as document inner join " ~ touched_keys('order')
            ~ " as touched on document.source_system = touched.source_system"
            ~ " and document.document_id = touched.key where document.side = 'erp'",
        "select document.pair_key from " ~ this ~ " as document where document.customer_id in ("
            ~ changed_customers([('customers', ref('stg_customers'), 'source_key')]) ~ ")",
        "select document.pair_key from " ~ this ~ " as document where document.reporting_currency"
            ~ " is distinct from " ~ reporting_currency(),
        pairs_of_changed_rates(),
    ] -%}
    {%- for kind in crm_sale_kinds() -%}
        {%- do queries.append(
            "select document.pair_key from " ~ this ~ " as document inner join "
            ~ changed_crm_documents(ref('stg_' ~ kind.headers)) ~ " as changed on document.source_system ="
            ~ " changed.source_system and document.document_id = changed.source_key"
            ~ " where document.document_type = '" ~ kind.type ~ "'"
        ) -%}
        {%- do queries.extend(pairs_of_changed_lines(kind)) -%}
    {%- endfor -%}
    create temporary table links_of_{{ model.name }} as {{ linked_documents() }};
    analyze {{ links_table() }};
    {{ affected_keys(queries) }}
{% endmacro %}

{#- Pairs of a sale with changed lines, and of the sale that such a line stood in before: the lines
    that were compared say so; of those that were not, only the sums of sales without amount count. -#}
{% macro pairs_of_changed_lines(kind) %}
    {%- set type = kind.type -%}
    {%- set changed = marts_changed(ref('stg_' ~ kind.lines)) -%}
    {%- set queries = [
        "select links.pair_key from " ~ changed ~ " as changed inner join " ~ links_table()
            ~ " as links on changed.source_system = links.source_system and changed." ~ type
            ~ "_id = links.document_id where links.document_type = '" ~ type ~ "'",
        "select document.pair_key from " ~ this ~ " as document inner join " ~ ref('stg_' ~ kind.headers)
            ~ " as header on document.source_system = header.source_system and document.document_id ="
            ~ " header.source_key where document.document_type = '" ~ type ~ "' and document.is_cancelled"
            ~ " and header." ~ kind.amount ~ " is null"
            ~ " and (select exists (select from " ~ changed ~ " as changed))",
    ] -%}
    {%- set previous = marts_previous('order_line_reconciliation') -%}
    {%- if previous -%}
        {%- do queries.append(
            "select line.pair_key from " ~ previous ~ " as line cross join lateral"
            ~ " unnest(line.crm_line_ids) as part (line_id) inner join " ~ changed
            ~ " as changed on line.crm_source_system = changed.source_system and part.line_id ="
            ~ " changed.source_key where (select exists (select from " ~ changed ~ " as changed))"
        ) -%}
    {%- endif -%}
    {{- return(queries) -}}
{% endmacro %}

{#- Pairs with a document of a day for which the rate of one of their currencies may have changed. -#}
{% macro pairs_of_changed_rates() -%}
    select dated.pair_key from {{ this }} as dated
    inner join {{ changed_rates() }} as changed_rates
        on
            dated.document_date >= changed_rates.valid_from
            and dated.document_date < coalesce(changed_rates.valid_until, 'infinity')
    inner join {{ this }} as document
        on
            dated.pair_key = document.pair_key
            and changed_rates.currency in (document.currency, document.pair_currency)
    where (select exists (select from {{ changed_rates() }} as any_changed))
{%- endmacro %}
