{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['pair_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}],
        meta={'touches': [{'kind': 'documents_of_pair', 'key': 'pair_key'}]},
        pre_hook="{{ affected_pairs_of_documents() }}",
    )
}}

with

links as (
    {% if is_incremental() -%}
        select * from {{ links_table() }}
        where {{ only_affected(['pair_key']) }}
    {%- else -%}
        {{ linked_documents() }}
    {%- endif %}
),

crosswalk as (
    select * from {{ source('identity', 'customer_crosswalk') }}
    where is_current
),

crm_sales as (
    {% for kind in crm_sale_kinds() -%}
        select
            links.pair_key,
            links.link_method,
            links.is_second,
            documents.source_system,
            links.document_type,
            documents.source_key as document_id,
            documents.{{ kind.number }} as document_number,
            documents.account_id,
            documents.{{ kind.date }} as document_date,
            documents.{{ kind.status }}{{ ' as status' if kind.status != 'status' }},
            documents.currency,
            documents.{{ kind.amount }}{{ ' as net_amount' if kind.amount != 'net_amount' }},
            documents.created_at
        from links
        inner join {{ ref('stg_' ~ kind.headers) }} as documents
            on
                links.source_system = documents.source_system
                and links.document_id = documents.source_key
        where links.document_type = '{{ kind.type }}'
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- A header without an amount is worth its lines, if every one of them says what it is worth.
unpriced_sales as (
    {{ sums_of_unpriced_sales() }}
),

documents as (
    select
        crm_sales.pair_key,
        'crm' as side,
        crm_sales.source_system,
        crm_sales.document_type,
        crm_sales.document_id,
        crm_sales.document_number,
        crosswalk.customer_id,
        crm_sales.document_date,
        crm_sales.status,
        crm_sales.currency,
        coalesce(crm_sales.net_amount, unpriced_sales.net_amount) as net_amount,
        null::numeric as tax_amount,
        null::numeric as fx_rate,
        null::numeric as net_amount_reporting,
        crm_sales.created_at,
        null as company,
        crm_sales.link_method,
        crm_sales.is_second
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
    union all
    select
        links.pair_key,
        'erp' as side,
        orders.source_system,
        'order' as document_type,
        orders.order_id as document_id,
        orders.order_number as document_number,
        orders.customer_id,
        orders.order_date as document_date,
        orders.status,
        orders.currency,
        orders.net_amount,
        orders.tax_amount,
        orders.fx_rate,
        orders.net_amount_reporting,
        orders.created_at,
        orders.company,
        links.link_method,
        links.is_second
    from links
    inner join {{ ref('orders') }} as orders
        on
            links.source_system = orders.source_system
            and links.document_id = orders.order_id
    where links.document_type = 'order'
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
        coalesce(placed.currency <> coalesce(pairs.currency, ''), false) as is_other_currency,
        case
            when placed.currency <> coalesce(pairs.currency, '')
                then own_rates.fx_rate / nullif(pair_rates.fx_rate, 0)
            else 1
        end as factor,
        case
            when placed.currency <> coalesce(pairs.currency, '')
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
                partition by contents.pair_key, contents.side, contents.contents
                order by contents.place asc
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
