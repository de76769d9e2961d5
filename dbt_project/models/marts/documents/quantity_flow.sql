{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['chain_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['chain_id']}, {'columns': ['order_source_system', 'order_id']}],
        meta={'touches': [{'kind': 'chain', 'key': 'chain_id'}]},
        pre_hook=["{{ affected_quantity_flow() }}", "set local work_mem = '256MB'"],
    )
}}

{%- set quote_chain = "'quote|' || quotes.source_system || '|' || quotes.quote_id" %}

with

{{ unit_rules() }},

chain_orders as (
    select
        orders.source_system,
        orders.order_id,
        orders.order_date,
        orders.crm_source_system,
        orders.quote_id,
        {{ is_called_off('orders.status') }} as is_cancelled,
        {{ chain_of_order('orders') }} as chain_id
    from {{ ref('orders') }} as orders
    where {{ only_affected([chain_of_order('orders')]) }}
),

ordered_quotes as (
    select distinct
        crm_source_system,
        quote_id
    from chain_orders
    where quote_id is not null
),

---------- the lines of every kind of document, each with its chain

quote_lines as (
    select
        quotes.source_system,
        quotes.quote_id,
        quote_lines.source_key as quote_line_id,
        quotes.quote_date,
        quote_lines.line_number,
        quote_lines.product_number,
        {{ unit_columns('quote_lines') }},
        quote_lines.quantity,
        null::text as known_order_id,
        {{ quote_chain }} as chain_id
    from {{ ref('stg_quotes') }} as quotes
    inner join {{ ref('stg_quote_lines') }} as quote_lines
        on
            quotes.source_system = quote_lines.source_system
            and quotes.source_key = quote_lines.quote_id
    left join ordered_quotes
        on
            quotes.source_system = ordered_quotes.crm_source_system
            and quotes.source_key = ordered_quotes.quote_id
    {{ join_unit_rules('quote_lines') }}
    where
        not quotes.is_deleted
        and not quote_lines.is_deleted
        and (quotes.status = 'accepted' or ordered_quotes.quote_id is not null)
        and {{ only_affected([quote_chain]) }}
),

order_lines as (
    select
        order_lines.source_system,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.line_number,
        order_lines.product_number,
        {{ unit_columns('order_lines') }},
        order_lines.quantity,
        order_lines.order_id as known_order_id,
        chain_orders.order_date,
        chain_orders.quote_id,
        chain_orders.is_cancelled or {{ is_called_off('order_lines.status') }} as is_cancelled,
        chain_orders.chain_id
    from {{ ref('order_lines') }} as order_lines
    inner join chain_orders
        on
            order_lines.source_system = chain_orders.source_system
            and order_lines.order_id = chain_orders.order_id
    {{ join_unit_rules('order_lines') }}
),

-- Only a link to a published order line is one.
shipped_lines as (
    select
        lines.source_system,
        lines.shipment_id,
        lines.shipment_line_id,
        lines.shipped_at,
        null::integer as line_number,
        lines.product_number,
        {{ unit_columns('lines') }},
        lines.quantity,
        lines.order_id as known_order_id,
        lines.shipment_id as fallback_id,
        order_lines.order_line_id
    from {{ ref('shipment_lines') }} as lines
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
    {{ join_unit_rules('lines') }}
),

shipment_lines as (
    {{ lines_with_chains('shipped_lines', 'shipment') }}
),

billed_lines as (
    select
        lines.source_system,
        lines.invoice_id,
        lines.invoice_line_id,
        lines.invoice_date,
        lines.line_number,
        lines.product_number,
        {{ unit_columns('lines') }},
        lines.quantity,
        headers.type,
        headers.reason,
        {{ is_called_off('headers.status') }} as is_cancelled,
        headers.corrects_invoice_id,
        coalesce(lines.order_id, corrected.order_id) as known_order_id,
        case
            when headers.type = 'credit_note' then coalesce(corrected.invoice_id, lines.invoice_id)
            else lines.invoice_id
        end as fallback_id,
        order_lines.order_line_id
    from {{ ref('invoice_lines') }} as lines
    inner join {{ ref('invoices') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.invoice_id = headers.invoice_id
    left join {{ ref('invoices') }} as corrected
        on
            headers.source_system = corrected.source_system
            and headers.corrects_invoice_id = corrected.invoice_id
            and headers.type = 'credit_note'
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
    {{ join_unit_rules('lines') }}
),

invoice_lines as (
    {{ lines_with_chains('billed_lines', 'invoice') }}
),

sent_back_lines as (
    select
        lines.source_system,
        lines.return_id,
        lines.return_line_id,
        lines.return_date,
        null::integer as line_number,
        lines.product_number,
        {{ unit_columns('lines') }},
        lines.quantity,
        {{ is_called_off('headers.status') }} as is_cancelled,
        lines.order_id as known_order_id,
        lines.return_id as fallback_id,
        order_lines.order_line_id
    from {{ ref('return_lines') }} as lines
    inner join {{ ref('returns') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.return_id = headers.return_id
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
    {{ join_unit_rules('lines') }}
),

return_lines as (
    {{ lines_with_chains('sent_back_lines', 'return') }}
),

-- What became of returned goods is only asked where there are any.
returning_chains as (
    select distinct chain_id from return_lines
),

returned_goods as (
    select distinct
        source_system,
        known_order_id,
        {{ product_key('product_number') }} as product_key
    from return_lines
    where not is_cancelled
),

credit_lines as (
    select
        lines.*,
        coalesce(lines.reason, 'other') = 'return'
        or returned_goods.product_key is not null as is_for_returned_goods
    from invoice_lines as lines
    left join returned_goods
        on
            lines.source_system = returned_goods.source_system
            and lines.known_order_id = returned_goods.known_order_id
            and {{ product_key('lines.product_number') }} = returned_goods.product_key
    where lines.type = 'credit_note'
),

crediting_chains as (
    select distinct chain_id from credit_lines
),

---------- both sides of every step, and what they are matched by

all_lines as (
    {{ flow_lines() }}
),

unitless_goods as (
    select distinct
        step,
        goods
    from all_lines
    where side = 'to' and unit is null and goods is not null
),

-- What names no unit is of the one that the first line of its goods has.
usual_units as (
    select distinct on (all_lines.step, all_lines.goods)
        all_lines.step,
        all_lines.goods,
        all_lines.base_unit,
        all_lines.unit_factor
    from all_lines
    inner join unitless_goods
        on
            all_lines.step = unitless_goods.step
            and all_lines.goods = unitless_goods.goods
    where all_lines.side = 'from'
    order by
        all_lines.step asc,
        all_lines.goods asc,
        all_lines.moment asc nulls last,
        all_lines.document_id asc,
        all_lines.line_number asc nulls last,
        all_lines.line_id asc
),

lines as (
    select
        all_lines.*,
        case
            when all_lines.step = 'quote_to_order' then all_lines.goods
            when all_lines.side = 'from'
                then all_lines.goods || '|' || coalesce(all_lines.base_unit, '')
            else
                all_lines.goods || '|'
                || coalesce(all_lines.base_unit, usual_units.base_unit, '')
        end as goods_key,
        {{ in_base_unit('all_lines.quantity', 'all_lines.unit_factor') }} as measure,
        usual_units.unit_factor as usual_unit_factor,
        row_number() over (
            order by
                all_lines.moment asc nulls last,
                all_lines.document_id asc,
                all_lines.line_number asc nulls last,
                all_lines.line_id asc,
                all_lines.source_system asc,
                all_lines.step asc,
                all_lines.side asc
        ) as line_no,
        case when all_lines.quantity < 0 then -1 else 1 end as direction
    from all_lines
    left join usual_units
        on
            all_lines.step = usual_units.step
            and all_lines.goods = usual_units.goods
),

links as (
    select
        step,
        link_key,
        bool_or(direction = 1) as has_along,
        bool_or(direction = -1) as has_against,
        min(line_no) as first_no,
        {{ usual_unit() }}
    from lines
    where side = 'from' and link_key is not null and counts
    group by step, link_key
),

goods as (
    select
        step,
        goods_key,
        bool_or(direction = 1) as has_along,
        bool_or(direction = -1) as has_against,
        min(line_no) as first_no,
        {{ usual_unit() }}
    from lines
    where side = 'from' and goods_key is not null and counts
    group by step, goods_key
),

-- What goes the other way than all that it could belong to corrects the first of those. Units that
-- cannot be converted into those of what it belongs to are taken to be the same.
placed as (
    select
        lines.line_no,
        lines.step,
        lines.direction,
        lines.quantity,
        lines.base_unit,
        lines.unit_factor as own_factor,
        lines.usual_unit_factor as first_factor,
        links.first_no is null and goods.first_no is null as is_alone,
        case when links.first_no is not null then links.unit else goods.unit end as usual_unit,
        case
            when links.first_no is not null then links.base_unit else goods.base_unit
        end as usual_base_unit,
        case
            when links.first_no is not null then links.unit_factor else goods.unit_factor
        end as usual_unit_factor,
        links.first_no is not null as is_linked,
        case when links.first_no is not null then lines.link_key end as link_key,
        lines.goods_key,
        case
            when links.first_no is not null
                then case
                    when
                        not (lines.direction = 1 and links.has_along)
                        and not (lines.direction = -1 and links.has_against)
                        then links.first_no
                end
            when
                not (lines.direction = 1 and goods.has_along)
                and not (lines.direction = -1 and goods.has_against)
                then goods.first_no
        end as corrects_no
    from lines
    left join links on lines.step = links.step and lines.link_key = links.link_key
    left join goods on lines.step = goods.step and lines.goods_key = goods.goods_key
    where lines.side = 'to' and lines.counts and lines.quantity <> 0
),

converted as (
    select
        *,
        case
            when is_alone then own_factor
            when base_unit is null and not is_linked then first_factor
            when coalesce(base_unit, '') = coalesce(usual_base_unit, '') then own_factor
            else usual_unit_factor
        end as unit_factor
    from placed
),

aimed as (
    select
        *,
        {{ in_base_unit('quantity', 'unit_factor') }} as measure
    from converted
),

corrections as (
    select
        corrects_no,
        sum(abs(measure)) as measure
    from aimed
    where corrects_no is not null
    group by corrects_no
),

---------- first what is linked

linked_sides as (
    select
        lines.line_no,
        lines.side,
        lines.step,
        lines.direction,
        lines.link_key,
        lines.goods_key,
        abs(lines.measure) + coalesce(corrections.measure, 0) as rest
    from lines
    left join corrections on lines.line_no = corrections.corrects_no
    where lines.side = 'from' and lines.counts
    union all
    select
        line_no,
        'to' as side,
        step,
        direction,
        link_key,
        goods_key,
        abs(measure) as rest
    from aimed
    where corrects_no is null
),

linked as (
    {{ opposite_lines('linked_sides', 'link_key') }}
),

linked_by_line as (
    {{ flow_by_line('linked') }}
),

---------- then, of what is left, the same goods of the same order: first in, first out

goods_sides as (
    select
        linked_sides.line_no,
        linked_sides.side,
        linked_sides.step,
        linked_sides.direction,
        linked_sides.goods_key,
        linked_sides.rest - coalesce(linked_by_line.quantity, 0) as rest
    from linked_sides
    left join linked_by_line on linked_sides.line_no = linked_by_line.line_no
    where linked_sides.rest > coalesce(linked_by_line.quantity, 0)
),

same_goods as (
    {{ opposite_lines('goods_sides', 'goods_key') }}
),

goods_by_line as (
    {{ flow_by_line('same_goods') }}
),

left_over as (
    select
        goods_sides.line_no,
        goods_sides.side,
        goods_sides.direction
        * (goods_sides.rest - coalesce(goods_by_line.quantity, 0)) as quantity
    from goods_sides
    left join goods_by_line on goods_sides.line_no = goods_by_line.line_no
    where goods_sides.rest > coalesce(goods_by_line.quantity, 0)
),

---------- every unit of every line is in one of these

entries as (
    select
        linked.from_no,
        linked.to_no,
        aimed.direction * linked.quantity as measure,
        aimed.unit_factor as to_factor,
        null::numeric as usual_factor,
        null as usual_unit,
        'allocated' as state,
        case aimed.step when 'quote_to_order' then 'same_product' else 'explicit_link' end as rule
    from linked
    inner join aimed on linked.to_no = aimed.line_no
    union all
    select
        same_goods.from_no,
        same_goods.to_no,
        aimed.direction * same_goods.quantity as measure,
        aimed.unit_factor as to_factor,
        null as usual_factor,
        null as usual_unit,
        'allocated' as state,
        case
            when aimed.step = 'quote_to_order' then 'same_line_number'
            when aimed.is_linked then 'surplus_of_link'
            else 'first_in_first_out'
        end as rule
    from same_goods
    inner join aimed on same_goods.to_no = aimed.line_no
    union all
    select
        corrects_no as from_no,
        line_no as to_no,
        measure,
        unit_factor as to_factor,
        null as usual_factor,
        null as usual_unit,
        'allocated' as state,
        'correction' as rule
    from aimed
    where corrects_no is not null
    union all
    select
        left_over.line_no as from_no,
        null as to_no,
        left_over.quantity as measure,
        null as to_factor,
        null as usual_factor,
        null as usual_unit,
        case
            when lines.is_called_off then 'cancelled'
            when lines.step in ('shipment_to_return', 'invoice_to_credit') then 'kept'
            else 'open'
        end as state,
        'nothing_followed' as rule
    from left_over
    inner join lines on left_over.line_no = lines.line_no
    where left_over.side = 'from'
    union all
    select
        null as from_no,
        left_over.line_no as to_no,
        left_over.quantity as measure,
        aimed.unit_factor as to_factor,
        case when aimed.usual_unit is null then aimed.unit_factor else aimed.usual_unit_factor end
            as usual_factor,
        aimed.usual_unit,
        'over' as state,
        case when aimed.is_linked then 'beyond_its_link' else 'nothing_preceded' end as rule
    from left_over
    inner join aimed on left_over.line_no = aimed.line_no
    where left_over.side = 'to'
    union all
    select
        case when side = 'from' then line_no end as from_no,
        case when side = 'to' then line_no end as to_no,
        measure,
        unit_factor as to_factor,
        unit_factor as usual_factor,
        null as usual_unit,
        case when counts then 'empty' else 'not_counted' end as state,
        case when counts then 'quantity_zero' else 'called_off_or_money_only' end as rule
    from lines
    where not counts or (quantity = 0 and (side = 'to' or line_no not in (
        select corrects_no from corrections
    )))
),

ledger as (
    select
        md5(
            concat_ws(
                '|',
                coalesce(from_lines.step, to_lines.step),
                coalesce(from_lines.kind || '|' || from_lines.source_system, ''),
                coalesce(from_lines.line_id, ''),
                coalesce(to_lines.kind || '|' || to_lines.source_system, ''),
                coalesce(to_lines.line_id, '')
            )
        ) as flow_id,
        coalesce(from_lines.chain_id, to_lines.chain_id) as chain_id,
        coalesce(from_lines.step, to_lines.step) as step,
        entries.state,
        entries.rule,
        from_lines.kind as from_type,
        from_lines.source_system as from_source_system,
        from_lines.document_id as from_document_id,
        from_lines.line_id as from_line_id,
        to_lines.kind as to_type,
        to_lines.source_system as to_source_system,
        to_lines.document_id as to_document_id,
        to_lines.line_id as to_line_id,
        case
            when coalesce(to_lines.order_id, from_lines.order_id) is not null
                then case
                    when to_lines.order_id is not null then to_lines.source_system
                    else from_lines.source_system
                end
        end as order_source_system,
        coalesce(to_lines.order_id, from_lines.order_id) as order_id,
        coalesce(to_lines.product_number, from_lines.product_number) as product_number,
        (case
            when entries.from_no is not null
                then {{ in_own_unit('entries.measure', 'from_lines.unit_factor') }}
            else {{ in_own_unit('entries.measure', 'entries.usual_factor') }}
        end)::numeric(20, 6) as quantity,
        case
            when entries.from_no is not null then coalesce(from_lines.unit, to_lines.unit)
            else coalesce(entries.usual_unit, to_lines.unit)
        end as unit,
        (case
            when entries.to_no is not null
                then {{ in_own_unit('entries.measure', 'entries.to_factor') }}
        end)::numeric(20, 6) as to_quantity,
        case
            when entries.to_no is not null then coalesce(to_lines.unit, from_lines.unit)
        end as to_unit,
        coalesce(from_lines.unit <> to_lines.unit, false) as units_differ,
        coalesce(
            {{ product_key('from_lines.product_number') }}
            <> {{ product_key('to_lines.product_number') }},
            false
        ) as products_differ
    from entries
    left join lines as from_lines on entries.from_no = from_lines.line_no
    left join lines as to_lines on entries.to_no = to_lines.line_no
)

select * from ledger
