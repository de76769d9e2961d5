{#
    How far order lines have come, from the quantities of the documents that follow them. A line
    of a document counts for the order line that it names; what goes beyond that line, and lines
    that name none, fill the other lines of the same product on the order, in their order.
#}

{#- Two numbers of one product: upper case, without blanks, dashes, dots and leading zeros. -#}
{% macro product_key(column) -%}
    ltrim(upper(translate({{ column }}, ' -_./\', '')), '0')
{%- endmacro %}

{#- What a document's lines move: shipped, invoiced or returned, as positive for an order's lines. -#}
{% macro movement_kinds() -%}
    {{ return(['shipped', 'invoiced', 'returned']) }}
{%- endmacro %}

{#- The lines of one kind of document that belong to the orders at hand, each with the order line
    that it names, if that exists, in base units. Sent back goods are negative in the model. -#}
{% macro movements_of(kind, document, extra) -%}
    {%- set sign = '-' if kind == 'returned' else '' -%}
    {%- set counted = ' and not ' ~ is_called_off('headers.status') if extra.has_status else '' -%}
    {%- set factor = factor_beside(
        base_unit('lines'), unit_factor(), 'order_lines.unit', 'order_lines.unit_factor'
    ) -%}
    {%- set columns %}
        lines.source_system,
        '{{ kind }}' as kind,
        {{ product_key('lines.product_number') }} as product_key,
        {{ base_unit('lines') }} as unit,
        {{ extra.type }} as type,
        {{ extra.reason }} as reason,
    {%- endset %}
    select
        order_lines.order_id,
        order_lines.order_line_id,
        {{- columns }}
        {{ in_base_unit(sign ~ 'lines.quantity', '(' ~ factor ~ ')') }} as quantity
    from order_lines
    inner join {{ ref('stg_' ~ document ~ '_lines') }} as lines
        on
            order_lines.source_system = lines.source_system
            and order_lines.order_line_id = lines.order_line_id
    inner join {{ ref('stg_' ~ document ~ 's') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.{{ document }}_id = headers.source_key
    {{ join_unit_rules('lines') }}
    where not lines.is_deleted and not headers.is_deleted{{ counted }}
    union all
    select
        orders.source_key as order_id,
        null as order_line_id,
        {{- columns }}
        {{ in_base_unit(sign ~ 'lines.quantity', unit_factor()) }} as quantity
    from orders
    inner join (
        select source_system, source_key, order_id from {{ ref('stg_' ~ document ~ 's') }}
        where order_id is not null
        union all
        {{ orders_by_lines(document) }}
    ) as known
        on orders.source_system = known.source_system and orders.source_key = known.order_id
    inner join {{ ref('stg_' ~ document ~ 's') }} as headers
        on
            known.source_system = headers.source_system
            and known.source_key = headers.source_key
    inner join {{ ref('stg_' ~ document ~ '_lines') }} as lines
        on
            headers.source_system = lines.source_system
            and headers.source_key = lines.{{ document }}_id
    left join {{ ref('stg_order_lines') }} as named
        on
            lines.source_system = named.source_system
            and lines.order_line_id = named.source_key
            and not named.is_deleted
    left join {{ ref('stg_orders') }} as named_orders
        on
            named.source_system = named_orders.source_system
            and named.order_id = named_orders.source_key
            and not named_orders.is_deleted
    {{ join_unit_rules('lines') }}
    where
        not lines.is_deleted
        and not headers.is_deleted
        and named_orders.source_key is null{{ counted }}
{%- endmacro %}

{% macro movements() -%}
    {{ movements_of('shipped', 'shipment', {'type': 'null', 'reason': 'null', 'has_status': false}) }}
    union all
    {{ movements_of('invoiced', 'invoice', {
        'type': 'headers.type', 'reason': 'headers.reason', 'has_status': true,
    }) }}
    union all
    {{ movements_of('returned', 'return', {'type': 'null', 'reason': 'null', 'has_status': true}) }}
{%- endmacro %}

{#- What goes the given way, of one kind. -#}
{% macro sum_of_kind(kind, quantity) -%}
    coalesce(sum(greatest({{ quantity }}, 0)) filter (where kind = '{{ kind }}'), 0)
{%- endmacro %}

{#- A document without an order of its own belongs to its lines' order if they have only one. -#}
{% macro orders_by_lines(document) -%}
    select
        headers.source_system,
        headers.source_key,
        min(order_lines.order_id) as order_id
    from {{ ref('stg_' ~ document ~ 's') }} as headers
    inner join {{ ref('stg_' ~ document ~ '_lines') }} as lines
        on
            headers.source_system = lines.source_system
            and headers.source_key = lines.{{ document }}_id
    inner join {{ ref('stg_order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.source_key
    inner join {{ ref('stg_orders') }} as named_orders
        on
            order_lines.source_system = named_orders.source_system
            and order_lines.order_id = named_orders.source_key
    where
        headers.order_id is null
        and not lines.is_deleted
        and not order_lines.is_deleted
        and not named_orders.is_deleted
    group by headers.source_system, headers.source_key
    having min(order_lines.order_id) = max(order_lines.order_id)
{%- endmacro %}

{#- Whether a status says that the document or line was called off. -#}
{% macro is_called_off(status) -%}
    coalesce(lower({{ status }}) in ('cancelled', 'canceled', 'void', 'voided'), false)
{%- endmacro %}

{#- Whether a line of a credit note takes back what was invoiced, so that it may be invoiced again:
    not if only money was credited, nor if it is for goods that came back. -#}
{% macro credits_only_money(reason) -%}
    coalesce({{ reason }} in ('price_correction', 'goodwill'), false)
{%- endmacro %}

{% macro progress_status(done, quantity, over, words) -%}
    case
        when {{ over }} > 0 then '{{ words.over }}'
        when {{ done }} * sign({{ quantity }}) <= 0 then '{{ words.none }}'
        when abs({{ done }}) < abs({{ quantity }}) then '{{ words.part }}'
        when abs({{ done }}) > abs({{ quantity }}) then '{{ words.over }}'
        else '{{ words.all }}'
    end
{%- endmacro %}

{#- An order stands where its lines stand, those apart that need nothing. -#}
{% macro order_progress_status(column, words, idle) -%}
    case
        when count(*) filter (where {{ column }} not in ('{{ idle | join("', '") }}')) = 0
            then min({{ column }})
        when bool_or({{ column }} = '{{ words.over }}') then '{{ words.over }}'
        when
            bool_and({{ column }} = '{{ words.all }}')
            filter (where {{ column }} not in ('{{ idle | join("', '") }}'))
            then '{{ words.all }}'
        when bool_or({{ column }} in ('{{ words.all }}', '{{ words.part }}'))
            then '{{ words.part }}'
        else '{{ words.none }}'
    end
{%- endmacro %}

{% macro progress_words(kind) -%}
    {{ return({
        'shipped': {'none': 'open', 'part': 'partially_shipped', 'all': 'shipped', 'over': 'over_shipped'},
        'invoiced': {'none': 'not_invoiced', 'part': 'partially_invoiced', 'all': 'invoiced', 'over': 'over_invoiced'},
        'returned': {'none': 'none', 'part': 'partially_returned', 'all': 'returned', 'over': 'over_returned'},
    }[kind]) }}
{%- endmacro %}

{#- Orders whose progress may have changed: by the order, or by any document that belongs to it. -#}
{% macro affected_order_progress() %}
    {%- set queries = [
        "select source_system, order_id from " ~ marts_changed(ref('stg_orders')) ~ " as changed",
        "select source_system, order_id from " ~ marts_changed(ref('stg_order_lines')) ~ " as changed",
        "select progress.source_system, progress.order_id from " ~ this ~ " as progress inner join "
            ~ marts_changed(ref('stg_order_lines')) ~ " as changed on progress.source_system ="
            ~ " changed.source_system and progress.order_line_id = changed.source_key",
    ] -%}
    {%- for kind in ['shipment', 'invoice', 'return'] -%}
        {%- do queries.extend(orders_of_documents(kind)) -%}
    {%- endfor -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- The orders of documents that changed, or whose lines did, or the order lines that those name:
    by their header, by all of their lines, and by their lines as the slot last had them. -#}
{% macro orders_of_documents(kind) %}
    {%- set headers, lines = ref('stg_' ~ kind ~ 's'), ref('stg_' ~ kind ~ '_lines') -%}
    {%- set order_lines = ref('stg_order_lines') -%}
    {%- set key = kind ~ '_id' -%}
    {%- set naming = " inner join " ~ lines ~ " as line on line.source_system = order_line.source_system"
        ~ " and line.order_line_id = order_line.source_key" -%}
    {%- set documents -%}
        select source_system, source_key as key from {{ marts_changed(headers) }} as changed
        union select source_system, {{ key }} from {{ marts_changed(lines) }} as changed
        union select line.source_system, line.{{ key }}
        from {{ marts_changed(order_lines) }} as order_line {{ naming }}
        union select line.source_system, line.{{ key }}
        from {{ marts_changed(ref('stg_orders')) }} as changed
        inner join {{ order_lines }} as order_line
            on changed.source_system = order_line.source_system and changed.source_key = order_line.order_id
        {{ naming }}
    {%- endset -%}
    {%- set previous = marts_previous(kind ~ '_lines') -%}
    {%- if previous -%}
        {%- set documents -%}
            {{ documents }}
            union select line.source_system, line.{{ key }}
            from {{ marts_changed(lines) }} as changed
            inner join {{ previous }} as line
                on changed.source_system = line.source_system and changed.source_key = line.{{ kind }}_line_id
        {%- endset -%}
    {%- endif -%}
    {%- set queries = [
        "select header.source_system, header.order_id from (" ~ documents ~ ") as document inner join "
            ~ headers ~ " as header on document.source_system = header.source_system"
            ~ " and document.key = header.source_key",
        "select order_line.source_system, order_line.order_id from (" ~ documents ~ ") as document inner join "
            ~ lines ~ " as line on document.source_system = line.source_system and document.key = line." ~ key
            ~ " inner join " ~ order_lines ~ " as order_line on line.source_system = order_line.source_system"
            ~ " and line.order_line_id = order_line.source_key",
    ] -%}
    {%- if previous -%}
        {%- do queries.append(
            "select line.source_system, line.order_id from (" ~ documents ~ ") as document inner join " ~ previous
            ~ " as line on document.source_system = line.source_system and document.key = line." ~ key
        ) -%}
    {%- endif -%}
    {{- return(queries) -}}
{% endmacro %}
