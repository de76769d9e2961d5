{#
    The ledger of quantities: which units of one document became units of the next one. Lines are
    laid end to end, those that come from and those that go to on either side, and where two of them
    lie opposite each other units flow, measured in base units. First within what is linked, then, with what is left over,
    within the order and product. All sets are sorted once: the cost grows with the lines.
#}

{#- An order belongs to the chain of its quote, so that several orders share one quote's lines. -#}
{% macro chain_of_order(orders) -%}
    {{ chain_from_columns(orders ~ '.') }}
{%- endmacro %}

{% macro chain_from_columns(table='') -%}
    coalesce(
        'quote|' || {{ table }}crm_source_system || '|' || {{ table }}quote_id,
        'order|' || {{ table }}source_system || '|' || {{ table }}order_id
    )
{%- endmacro %}

{#- A document that no published order is known for: by the order it names, else by itself. -#}
{% macro chain_without_order(system, order_id, kind, document_id) -%}
    coalesce(
        'order|' || {{ system }} || '|' || {{ order_id }},
        '{{ kind }}|' || {{ system }} || '|' || {{ document_id }}
    )
{%- endmacro %}

{#- Lines of a kind of document, each with its chain; `lines` has known_order_id and fallback_id. -#}
{% macro lines_with_chains(lines, kind) -%}
    {%- set alone = chain_without_order('lines.source_system', 'lines.known_order_id', kind, 'lines.fallback_id') -%}
    select
        lines.*,
        chain_orders.chain_id
    from {{ lines }} as lines
    inner join chain_orders
        on
            lines.source_system = chain_orders.source_system
            and lines.known_order_id = chain_orders.order_id
    union all
    select
        lines.*,
        {{ alone }} as chain_id
    from {{ lines }} as lines
    left join {{ ref('orders') }} as orders
        on
            lines.source_system = orders.source_system
            and lines.known_order_id = orders.order_id
    where orders.order_id is null and {{ only_affected([alone]) }}
{%- endmacro %}

{#- What the ledger reads of a line's unit. -#}
{% macro unit_columns(lines) -%}
    {{ lines }}.unit,
        {{ base_unit(lines) }} as base_unit,
        {{ unit_factor() }} as unit_factor
{%- endmacro %}

{#- What lines that others can belong to are measured in; no unit where they have several. -#}
{% macro usual_unit() -%}
    max(base_unit) as base_unit,
        max(unit_factor) as unit_factor,
        case when min(unit) = max(unit) then min(unit) end as unit
{%- endmacro %}

{#- Within which, of one base unit, lines of one step are matched after those that are linked. -#}
{% macro same_goods(lines) -%}
    {{ lines }}.chain_id || '|' || coalesce({{ lines }}.known_order_id, '') || '|'
    || {{ product_key(lines ~ '.product_number') }}
{%- endmacro %}

{#- One step's side: a select over lines with chains. -#}
{% macro flow_side(step, side, kind, lines, document, line, link, goods, moment, sign='', counts='true', called_off='false', where='true') -%}
    select
        '{{ step }}' as step,
        '{{ side }}' as side,
        '{{ kind }}' as kind,
        lines.chain_id,
        lines.source_system,
        lines.known_order_id as order_id,
        lines.{{ document }} as document_id,
        lines.{{ line }} as line_id,
        {{ moment }} as moment,
        lines.line_number,
        lines.product_number,
        lines.unit,
        lines.base_unit,
        lines.unit_factor,
        {{ sign }}coalesce(lines.quantity, 0) as quantity,
        {{ link }} as link_key,
        {{ goods }} as goods,
        {{ counts }} as counts,
        {{ called_off }} as is_called_off
    from {{ lines }} as lines
    where {{ where }}
{%- endmacro %}

{#- Lay lines end to end by a key and see which lie opposite: from, to and how much. Where one line
    lies opposite one other there is nothing to lay, and nothing where a side is empty. -#}
{% macro opposite_lines(lines, key) -%}
    with grouped as (
        select
            step,
            {{ key }},
            direction,
            count(*) filter (where side = 'from') as from_count,
            count(*) filter (where side = 'to') as to_count,
            max(line_no) filter (where side = 'from') as from_no,
            max(line_no) filter (where side = 'to') as to_no,
            max(rest) filter (where side = 'from') as from_rest,
            max(rest) filter (where side = 'to') as to_rest
        from {{ lines }}
        where rest > 0 and {{ key }} is not null
        group by step, {{ key }}, direction
        having count(*) filter (where side = 'from') > 0 and count(*) filter (where side = 'to') > 0
    )

    select
        from_no,
        to_no,
        least(from_rest, to_rest) as quantity
    from grouped
    where from_count = 1 and to_count = 1
    union all
    select
        from_no,
        to_no,
        quantity
    from (
        select
            from_no,
            to_no,
            least(next_begins, from_ends, to_ends) - begins as quantity
        from (
            select
                begins,
                max(line_no) filter (where side = 'from') over opposite as from_no,
                max(line_no) filter (where side = 'to') over opposite as to_no,
                max(ends) filter (where side = 'from') over opposite as from_ends,
                max(ends) filter (where side = 'to') over opposite as to_ends,
                lead(begins) over opposite as next_begins
            from (
                select
                    lines.*,
                    sum(lines.rest) over end_to_end as ends,
                    sum(lines.rest) over end_to_end - lines.rest as begins
                from {{ lines }} as lines
                inner join grouped
                    on
                        lines.step = grouped.step
                        and lines.{{ key }} = grouped.{{ key }}
                        and lines.direction = grouped.direction
                        and (grouped.from_count > 1 or grouped.to_count > 1)
                where lines.rest > 0
                window end_to_end as (
                    partition by lines.step, lines.{{ key }}, lines.direction, lines.side
                    order by lines.line_no
                    rows between unbounded preceding and current row
                )
            ) as laid
            window opposite as (partition by step, {{ key }}, direction order by begins)
        ) as pieces
        where from_no is not null and to_no is not null
    ) as flowing
    where quantity > 0
{%- endmacro %}

{#- What of each line has found its opposite, whichever side it is on. -#}
{% macro flow_by_line(flows) -%}
    select
        line_no,
        sum(quantity) as quantity
    from (
        select from_no as line_no, quantity from {{ flows }}
        union all
        select to_no as line_no, quantity from {{ flows }}
    ) as both_sides
    group by line_no
{%- endmacro %}

{#- Chains whose documents may have changed, now and as the ledger last had them. -#}
{% macro affected_quantity_flow() %}
    {%- set orders = ref('orders') -%}
    {%- set queries = [
        "select " ~ chain_of_order('orders') ~ " as chain_id from " ~ touched_keys('order') ~ " as touched"
            ~ " inner join " ~ orders ~ " as orders on touched.source_system = orders.source_system"
            ~ " and touched.key = orders.order_id",
        "select 'order|' || source_system || '|' || key from " ~ touched_keys('order') ~ " as touched",
        "select flow.chain_id from " ~ this ~ " as flow inner join " ~ touched_keys('order')
            ~ " as touched on flow.order_source_system = touched.source_system and flow.order_id = touched.key",
        "select 'quote|' || source_system || '|' || quote_id from " ~ marts_changed(ref('stg_quotes')) ~ " as changed",
        "select 'quote|' || source_system || '|' || quote_id from " ~ marts_changed(ref('stg_quote_lines'))
            ~ " as changed",
        "select flow.chain_id from " ~ this ~ " as flow inner join " ~ marts_changed(ref('stg_quote_lines'))
            ~ " as changed on flow.from_type = 'quote_line' and flow.from_source_system = changed.source_system"
            ~ " and flow.from_line_id = changed.source_key where (select exists (select from "
            ~ marts_changed(ref('stg_quote_lines')) ~ " as changed))",
    ] -%}
    {#- Documents and their lines note the order that they belong to, and belonged to before. -#}
    {%- do queries.append(
        "select " ~ chain_of_order('orders') ~ " from " ~ touched_keys('order_document') ~ " as touched"
            ~ " inner join " ~ orders ~ " as orders on touched.source_system = orders.source_system"
            ~ " and touched.key = orders.order_id"
    ) -%}
    {%- do queries.append(
        "select 'order|' || source_system || '|' || key from " ~ touched_keys('order_document') ~ " as touched"
    ) -%}
    {%- for kind in ['shipment', 'invoice', 'return', 'corrected_invoice'] -%}
        {%- do queries.append(
            "select '" ~ kind | replace('corrected_', '') ~ "|' || source_system || '|' || key from "
            ~ touched_keys(kind) ~ " as touched"
        ) -%}
    {%- endfor -%}
    {#- A credit note that names no order goes with the invoice that it corrects, or corrected. -#}
    {%- do queries.append(
        "select coalesce(" ~ chain_of_order('orders') ~ ", 'order|' || invoice.source_system || '|' || invoice.order_id)"
        ~ " from " ~ touched_keys('corrected_invoice') ~ " as touched inner join " ~ ref('invoices')
        ~ " as invoice on touched.source_system = invoice.source_system and touched.key = invoice.invoice_id"
        ~ " left join " ~ orders ~ " as orders on invoice.source_system = orders.source_system"
        ~ " and invoice.order_id = orders.order_id"
    ) -%}
    {#- Without the invoice that it corrects it stands alone: that one may have come, or gone. -#}
    {%- do queries.append(
        "select 'invoice|' || credit.source_system || '|' || credit.invoice_id from " ~ ref('invoices')
        ~ " as credit inner join " ~ touched_keys('invoice') ~ " as touched on credit.source_system ="
        ~ " touched.source_system and credit.corrects_invoice_id = touched.key where (select exists (select from "
        ~ touched_keys('invoice') ~ " as touched))"
    ) -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Both sides of every step. A line of the side `to` is linked to those of the side `from` that have
    its link; where that leads nowhere, the same goods on the same order are meant. -#}
{% macro flow_lines() -%}
    {%- set order_link = "lines.source_system || '|' || lines.order_line_id" -%}
    {%- set goods = same_goods('lines') -%}
    {%- set quoted = "lines.chain_id || '|' || " ~ product_key('lines.product_number') -%}
    {%- set place = "lines.chain_id || '|' || lines.line_number" -%}
    {%- set sold = "lines.type <> 'credit_note'" -%}
    {%- set invoice_link = "lines.source_system || '|' || lines.{} || '|' || coalesce(lines.order_line_id, " ~ product_key('lines.product_number') ~ ")" -%}
    {%- set quoted_at, ordered_at, billed_at, back_at = 'lines.quote_date::timestamp', 'lines.order_date::timestamp', 'lines.invoice_date::timestamp', 'lines.return_date::timestamp' -%}
    {%- set shipped_at = "lines.shipped_at at time zone 'UTC'" -%}
    {%- set sides = [
        flow_side('quote_to_order', 'from', 'quote_line', 'quote_lines', 'quote_id', 'quote_line_id', quoted, place, quoted_at),
        flow_side('quote_to_order', 'to', 'order_line', 'order_lines', 'order_id', 'order_line_id', quoted, place, ordered_at,
            counts='not lines.is_cancelled', where='lines.quote_id is not null'),
        flow_side('order_to_shipment', 'from', 'order_line', 'order_lines', 'order_id', 'order_line_id', order_link, goods, ordered_at,
            called_off='lines.is_cancelled'),
        flow_side('order_to_shipment', 'to', 'shipment_line', 'shipment_lines', 'shipment_id', 'shipment_line_id', order_link, goods, shipped_at),
        flow_side('order_to_invoice', 'from', 'order_line', 'order_lines', 'order_id', 'order_line_id', order_link, goods, ordered_at,
            called_off='lines.is_cancelled'),
        flow_side('order_to_invoice', 'to', 'invoice_line', 'invoice_lines', 'invoice_id', 'invoice_line_id', order_link, goods, billed_at,
            counts='not lines.is_cancelled', where=sold),
        flow_side('order_to_invoice', 'to', 'credit_line', 'credit_lines', 'invoice_id', 'invoice_line_id', order_link, goods, billed_at,
            where='not lines.is_cancelled and not ' ~ credits_only_money('lines.reason') ~ ' and not lines.is_for_returned_goods'),
        flow_side('shipment_to_invoice', 'from', 'shipment_line', 'shipment_lines', 'shipment_id', 'shipment_line_id', order_link, goods, shipped_at),
        flow_side('shipment_to_invoice', 'to', 'invoice_line', 'invoice_lines', 'invoice_id', 'invoice_line_id', order_link, goods, billed_at,
            counts='not lines.is_cancelled', where=sold),
        flow_side('shipment_to_return', 'from', 'shipment_line', 'shipment_lines', 'shipment_id', 'shipment_line_id', order_link, goods, shipped_at,
            where='lines.chain_id in (select chain_id from returning_chains)'),
        flow_side('shipment_to_return', 'to', 'return_line', 'return_lines', 'return_id', 'return_line_id', order_link, goods, back_at,
            sign='-', counts='not lines.is_cancelled'),
        flow_side('invoice_to_credit', 'from', 'invoice_line', 'invoice_lines', 'invoice_id', 'invoice_line_id', invoice_link.format('invoice_id'), goods, billed_at,
            counts='not lines.is_cancelled', where=sold ~ ' and lines.chain_id in (select chain_id from crediting_chains)'),
        flow_side('invoice_to_credit', 'to', 'credit_line', 'credit_lines', 'invoice_id', 'invoice_line_id', invoice_link.format('corrects_invoice_id'), goods, billed_at,
            sign='-', counts='not lines.is_cancelled and not ' ~ credits_only_money('lines.reason')),
        flow_side('return_to_credit', 'from', 'return_line', 'return_lines', 'return_id', 'return_line_id', order_link, goods, back_at,
            sign='-', counts='not lines.is_cancelled'),
        flow_side('return_to_credit', 'to', 'credit_line', 'credit_lines', 'invoice_id', 'invoice_line_id', order_link, goods, billed_at,
            sign='-', where='lines.is_for_returned_goods and not lines.is_cancelled and not ' ~ credits_only_money('lines.reason')),
    ] -%}
    {{ sides | join('\n    union all\n    ') }}
{%- endmacro %}

{#- Every line that the ledger must hold, by step and side, with its quantity. -#}
{% macro conserved_lines() -%}
    {%- set parts = [
        ('quote_to_order', 'to', 'order_lines', 'order_line_id', '', 'quote_id is not null'),
        ('order_to_shipment', 'from', 'order_lines', 'order_line_id', '', 'true'),
        ('order_to_invoice', 'from', 'order_lines', 'order_line_id', '', 'true'),
        ('order_to_shipment', 'to', 'shipment_lines', 'shipment_line_id', '', 'true'),
        ('shipment_to_invoice', 'from', 'shipment_lines', 'shipment_line_id', '', 'true'),
        ('shipment_to_return', 'from', 'shipment_lines', 'shipment_line_id', '', 'true'),
        ('order_to_invoice', 'to', 'invoice_lines', 'invoice_line_id', '', "type <> 'credit_note'"),
        ('shipment_to_invoice', 'to', 'invoice_lines', 'invoice_line_id', '', "type <> 'credit_note'"),
        ('invoice_to_credit', 'from', 'invoice_lines', 'invoice_line_id', '', "type <> 'credit_note'"),
        ('order_to_invoice', 'to credit', 'invoice_lines', 'invoice_line_id', '', "type = 'credit_note'"),
        ('invoice_to_credit', 'to credit', 'invoice_lines', 'invoice_line_id', '-', "type = 'credit_note'"),
        ('return_to_credit', 'to credit', 'invoice_lines', 'invoice_line_id', '-', "type = 'credit_note'"),
        ('shipment_to_return', 'to', 'return_lines', 'return_line_id', '-', 'true'),
        ('return_to_credit', 'from', 'return_lines', 'return_line_id', '-', 'true'),
    ] -%}
    {%- for step, side, lines, line, sign, where in parts %}
    select
        '{{ step }}' as step,
        '{{ side }}' as side,
        source_system,
        {{ line }} as line_id,
        {{ sign }}coalesce(quantity, 0) as quantity
    from {{ ref(lines) }}
    where {{ where }}
    union all
    {%- endfor %}
    select
        'quote_to_order' as step,
        'from' as side,
        lines.source_system,
        lines.source_key as line_id,
        coalesce(lines.quantity, 0) as quantity
    from {{ ref('stg_quote_lines') }} as lines
    inner join {{ ref('quotes') }} as quotes
        on lines.source_system = quotes.source_system and lines.quote_id = quotes.quote_id
    where
        not lines.is_deleted
        and (
            quotes.status = 'accepted'
            or exists (
                select from {{ ref('orders') }} as orders
                where
                    orders.crm_source_system = quotes.source_system
                    and orders.quote_id = quotes.quote_id
            )
        )
{%- endmacro %}
