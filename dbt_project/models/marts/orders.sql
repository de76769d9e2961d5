{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}, {'columns': ['crm_source_system', 'quote_id']}, {'columns': ['crm_source_system', 'opportunity_id']}, {'columns': ['order_number']}, {'columns': ['sales_order_number']}, {'columns': ['(' ~ chain_from_columns() ~ ')']}],
        meta={'touches': [
            {'kind': 'order', 'system': 'source_system', 'key': 'order_id'},
            {'kind': 'customer', 'key': 'customer_id'},
            {'kind': 'order_number', 'key': 'order_number'},
            {'kind': 'order_number', 'key': 'sales_order_number'},
            {'kind': 'quote', 'system': 'crm_source_system', 'key': 'quote_id'},
            {'kind': 'opportunity', 'system': 'crm_source_system', 'key': 'opportunity_id'},
        ]},
        pre_hook=["{{ forget_touched_keys() }}", "{{ affected_orders() }}"],
    )
}}

with

orders as (
    select * from {{ ref('stg_orders') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

order_lines as (
    select * from {{ ref('stg_order_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'order_id']) }}
),

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current
),

sales_orders as (
    select
        sales_orders.*,
        crosswalk.customer_id
    from {{ ref('stg_sales_orders') }} as sales_orders
    left join crosswalk
        on
            sales_orders.source_system = crosswalk.source_system
            and sales_orders.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
    where not sales_orders.is_deleted
),

quotes as (
    select
        quotes.*,
        crosswalk.customer_id
    from {{ ref('stg_quotes') }} as quotes
    left join crosswalk
        on
            quotes.source_system = crosswalk.source_system
            and quotes.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
    where not quotes.is_deleted
),

-- A sum over lines of which one has no amount would look complete and is not: then it is null.
line_totals as (
    select
        source_system,
        order_id,
        count(*) as line_count,
        case when count(net_amount) = count(*) then sum(net_amount) end as net_amount,
        case when count(tax_amount) = count(*) then sum(tax_amount) end as tax_amount
    from order_lines
    group by source_system, order_id
),

known_orders as (
    select
        orders.*,
        crosswalk.customer_id as unified_customer_id
    from orders
    left join crosswalk
        on
            orders.source_system = crosswalk.source_system
            and orders.customer_id = crosswalk.source_key
            and crosswalk.entity = 'customers'
),

sales_order_candidates as (
    select
        known_orders.source_system,
        known_orders.source_key,
        known_orders.unified_customer_id,
        1 as precedence,
        sales_orders.source_system as crm_source_system,
        sales_orders.source_key as sales_order_id
    from known_orders
    inner join sales_orders on known_orders.order_number = sales_orders.erp_order_number
    union all
    select
        known_orders.source_system,
        known_orders.source_key,
        known_orders.unified_customer_id,
        2 as precedence,
        sales_orders.source_system as crm_source_system,
        sales_orders.source_key as sales_order_id
    from known_orders
    inner join sales_orders on known_orders.external_reference = sales_orders.order_number
),

-- Two systems may use the same number: the customer's own document comes first.
sales_order_links as (
    select distinct on (candidates.source_system, candidates.source_key)
        candidates.source_system,
        candidates.source_key,
        sales_orders.source_system as crm_source_system,
        sales_orders.source_key as sales_order_id,
        sales_orders.order_number as sales_order_number,
        sales_orders.quote_id,
        sales_orders.opportunity_id
    from sales_order_candidates as candidates
    inner join sales_orders
        on
            candidates.crm_source_system = sales_orders.source_system
            and candidates.sales_order_id = sales_orders.source_key
    order by
        candidates.source_system asc,
        candidates.source_key asc,
        candidates.unified_customer_id = sales_orders.customer_id desc nulls last,
        candidates.precedence,
        sales_orders.source_system asc,
        sales_orders.source_key asc
),

quote_links as (
    select distinct on (known_orders.source_system, known_orders.source_key)
        known_orders.source_system,
        known_orders.source_key,
        quotes.source_system as crm_source_system,
        quotes.source_key as quote_id
    from known_orders
    inner join quotes on known_orders.external_reference = quotes.quote_number
    order by
        known_orders.source_system asc,
        known_orders.source_key asc,
        known_orders.unified_customer_id = quotes.customer_id desc nulls last,
        quotes.revision desc nulls last,
        quotes.source_system asc,
        quotes.source_key asc
),

crm_links as (
    select
        known_orders.source_system,
        known_orders.source_key,
        coalesce(sales_order_links.crm_source_system, quote_links.crm_source_system)
            as crm_source_system,
        sales_order_links.sales_order_id,
        sales_order_links.sales_order_number,
        sales_order_links.opportunity_id,
        -- The sales order knows its quote; the reference is asked only where it names none.
        case
            when sales_order_links.quote_id is not null then sales_order_links.quote_id
            when
                sales_order_links.crm_source_system is null
                or sales_order_links.crm_source_system = quote_links.crm_source_system
                then quote_links.quote_id
        end as quote_id
    from known_orders
    left join sales_order_links
        on
            known_orders.source_system = sales_order_links.source_system
            and known_orders.source_key = sales_order_links.source_key
    left join quote_links
        on
            known_orders.source_system = quote_links.source_system
            and known_orders.source_key = quote_links.source_key
),

conversions as (
    select * from {{ conversions('known_orders', 'order_date') }}
),

amounts as (
    select
        known_orders.*,
        line_totals.net_amount as lines_net_amount,
        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(known_orders.net_amount, line_totals.net_amount) as known_net_amount,
        coalesce(known_orders.tax_amount, line_totals.tax_amount) as known_tax_amount,
        {{ fx_rate('known_orders') }} as fx_rate
    from known_orders
    left join line_totals
        on
            known_orders.source_system = line_totals.source_system
            and known_orders.source_key = line_totals.order_id
    left join conversions
        on
            known_orders.source_system = conversions.source_system
            and known_orders.currency = conversions.currency
            and known_orders.order_date = conversions.rate_date
),

progress as (
    select
        source_system,
        order_id,
        {{ order_progress_status(
            'fulfilment_status', progress_words('shipped'), ['nothing_ordered', 'cancelled']
        ) }} as fulfilment_status,
        {{ order_progress_status(
            'billing_status',
            progress_words('invoiced'),
            ['nothing_ordered', 'cancelled', 'free_of_charge']
        ) }} as billing_status,
        {{ order_progress_status('return_status', progress_words('returned'), ['']) }}
            as return_status
    from {{ ref('order_line_progress') }}
    where {{ only_affected(['source_system', 'order_id']) }}
    group by source_system, order_id
),

unified as (
    select
        amounts.source_system,
        amounts.order_id,
        amounts.order_number,
        amounts.unified_customer_id as customer_id,
        amounts.customer_id as erp_customer_id,
        amounts.order_date,
        amounts.requested_date,
        amounts.promised_date,
        amounts.status,
        amounts.currency,
        amounts.known_net_amount as net_amount,
        amounts.known_tax_amount as tax_amount,
        coalesce(amounts.gross_amount, amounts.known_net_amount + amounts.known_tax_amount)
            as gross_amount,
        amounts.lines_net_amount,
        amounts.line_count,
        {{ reporting_currency() }} as reporting_currency,
        amounts.fx_rate,
        {{ in_reporting_currency('amounts.known_net_amount', 'amounts.fx_rate') }}
            as net_amount_reporting,
        {{ in_reporting_currency('amounts.known_tax_amount', 'amounts.fx_rate') }}
            as tax_amount_reporting,
        {{ in_reporting_currency(
            'coalesce(amounts.gross_amount, amounts.known_net_amount + amounts.known_tax_amount)',
            'amounts.fx_rate'
        ) }} as gross_amount_reporting,
        amounts.external_reference,
        crm_links.crm_source_system,
        crm_links.sales_order_id,
        crm_links.sales_order_number,
        crm_links.quote_id,
        quotes.quote_number,
        coalesce(crm_links.opportunity_id, quotes.opportunity_id) as opportunity_id,
        amounts.bill_to_address_id,
        amounts.ship_to_address_id,
        amounts.entry_source,
        amounts.created_by,
        amounts.company,
        amounts.is_rebuilt is true as is_rebuilt,
        amounts.created_at,
        amounts.modified_at,
        {% for role in ['bill_to', 'ship_to'] -%}
            {% for column in [
                'addressee', 'street', 'street2', 'city', 'region', 'postal_code', 'country',
            ] -%}
                {{ role }}.{{ column }} as {{ role }}_{{ column }}
                {%- if not loop.last %},{% endif %}
            {% endfor -%}
            {%- if not loop.last %},{% endif %}
        {% endfor %},
        coalesce(progress.fulfilment_status, 'nothing_ordered') as fulfilment_status,
        coalesce(progress.billing_status, 'nothing_ordered') as billing_status,
        coalesce(progress.return_status, 'none') as return_status
    from amounts
    inner join crm_links
        on
            amounts.source_system = crm_links.source_system
            and amounts.source_key = crm_links.source_key
    left join quotes
        on
            crm_links.crm_source_system = quotes.source_system
            and crm_links.quote_id = quotes.source_key
    left join {{ ref('stg_addresses') }} as bill_to
        on
            amounts.source_system = bill_to.source_system
            and amounts.bill_to_address_id = bill_to.source_key
    left join {{ ref('stg_addresses') }} as ship_to
        on
            amounts.source_system = ship_to.source_system
            and amounts.ship_to_address_id = ship_to.source_key
    left join progress
        on
            amounts.source_system = progress.source_system
            and amounts.source_key = progress.order_id
)

select * from unified
