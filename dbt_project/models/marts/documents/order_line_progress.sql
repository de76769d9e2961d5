{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'order_id']}],
        meta={'touches': [{'kind': 'order', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook=["{{ forget_touched_keys() }}", "{{ affected_order_progress() }}"],
    )
}}

{%- set kinds = movement_kinds() %}

with

{{ unit_rules() }},

orders as (
    select * from {{ ref('stg_orders') }}
    where not is_deleted and {{ only_affected(['source_system', 'source_key']) }}
),

-- Computed with in base units, and told in the unit of the order line again in the end.
order_lines as (
    select
        order_lines.source_system,
        order_lines.source_key as order_line_id,
        order_lines.order_id,
        order_lines.line_number,
        {{ product_key('order_lines.product_number') }} as product_key,
        coalesce({{ base_unit('order_lines') }}, '') as unit,
        {{ unit_factor() }} as unit_factor,
        coalesce(order_lines.quantity, 0) as quantity_ordered,
        {{ in_base_unit('coalesce(order_lines.quantity, 0)', unit_factor()) }} as quantity,
        case when order_lines.quantity < 0 then -1 else 1 end as direction,
        order_lines.net_amount,
        order_lines.kit_parent_line_id,
        {{ is_called_off('orders.status') }} or {{ is_called_off('order_lines.status') }}
            as is_cancelled
    from {{ ref('stg_order_lines') }} as order_lines
    inner join orders
        on
            order_lines.source_system = orders.source_system
            and order_lines.order_id = orders.source_key
    {{ join_unit_rules('order_lines') }}
    where
        not order_lines.is_deleted
        and {{ only_affected(['order_lines.source_system', 'order_lines.order_id']) }}
),

documents_lines as (
    {{ movements() }}
),

returned_products as (
    select distinct
        source_system,
        order_id,
        product_key
    from documents_lines
    where kind = 'returned'
),

-- A credit takes units off what was invoiced unless it credits money alone, or returned goods.
movements as (
    select documents_lines.*
    from documents_lines
    left join returned_products
        on
            documents_lines.type = 'credit_note'
            and documents_lines.source_system = returned_products.source_system
            and documents_lines.order_id = returned_products.order_id
            and documents_lines.product_key = returned_products.product_key
    where
        coalesce(documents_lines.type, 'invoice') <> 'credit_note'
        or (
            not {{ credits_only_money('documents_lines.reason') }}
            and coalesce(documents_lines.reason, 'other') <> 'return'
            and returned_products.product_key is null
        )
),

-- What names no line is of the unit that the product's first line has, if it names none either.
first_lines as (
    select distinct on (source_system, order_id, product_key)
        source_system,
        order_id,
        product_key,
        order_line_id,
        unit,
        unit_factor,
        direction
    from order_lines
    order by source_system, order_id, product_key, line_number nulls last, order_line_id
),

directions as (
    select distinct
        source_system,
        order_id,
        product_key,
        unit,
        direction
    from order_lines
),

unnamed as (
    select
        movements.source_system,
        movements.order_id,
        movements.kind,
        movements.product_key,
        coalesce(movements.unit, first_lines.unit) as unit,
        case when movements.quantity < 0 then -1 else 1 end as direction,
        case
            when movements.unit is null
                then {{ in_base_unit('movements.quantity', 'first_lines.unit_factor') }}
            else movements.quantity
        end as quantity,
        first_lines.order_line_id as first_order_line_id
    from movements
    inner join first_lines
        on
            movements.source_system = first_lines.source_system
            and movements.order_id = first_lines.order_id
            and movements.product_key = first_lines.product_key
    where movements.order_line_id is null
),

-- What goes the other way than every line of its product corrects the first of them.
unnamed_with_lines as (
    select
        unnamed.*,
        directions.direction is null as is_correction
    from unnamed
    left join directions
        on
            unnamed.source_system = directions.source_system
            and unnamed.order_id = directions.order_id
            and unnamed.product_key = directions.product_key
            and unnamed.unit = directions.unit
            and unnamed.direction = directions.direction
),

named as (
    select
        source_system,
        order_line_id,
        kind,
        quantity
    from movements
    where order_line_id is not null
    union all
    select
        unnamed_with_lines.source_system,
        unnamed_with_lines.first_order_line_id,
        unnamed_with_lines.kind,
        unnamed_with_lines.quantity
    from unnamed_with_lines
    inner join first_lines
        on
            unnamed_with_lines.source_system = first_lines.source_system
            and unnamed_with_lines.first_order_line_id = first_lines.order_line_id
            and unnamed_with_lines.unit = first_lines.unit
    where
        unnamed_with_lines.is_correction
        and unnamed_with_lines.direction <> first_lines.direction
),

named_totals as (
    select
        order_lines.source_system,
        order_lines.order_line_id,
        {% for kind in kinds -%}
            {{ sum_of_kind(kind, 'named.quantity * order_lines.direction') }} as {{ kind }}_along,
            {{ sum_of_kind(kind, '-named.quantity * order_lines.direction') }} as {{ kind }}_against
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from order_lines
    inner join named
        on
            order_lines.source_system = named.source_system
            and order_lines.order_line_id = named.order_line_id
    group by order_lines.source_system, order_lines.order_line_id
),

pools as (
    select
        source_system,
        order_id,
        product_key,
        unit,
        direction,
        {% for kind in kinds -%}
            coalesce(sum(abs(quantity)) filter (where kind = '{{ kind }}'), 0)
                as {{ kind }}_pool
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from unnamed_with_lines
    where not is_correction
    group by source_system, order_id, product_key, unit, direction
),

direct as (
    select
        order_lines.*,
        {% for kind in kinds -%}
            least(
                coalesce(named_totals.{{ kind }}_along, 0),
                abs(order_lines.quantity) + coalesce(named_totals.{{ kind }}_against, 0)
            ) - coalesce(named_totals.{{ kind }}_against, 0) as {{ kind }}_direct,
            greatest(
                coalesce(named_totals.{{ kind }}_along, 0)
                - abs(order_lines.quantity)
                - coalesce(named_totals.{{ kind }}_against, 0),
                0
            ) as {{ kind }}_surplus,
            coalesce(pools.{{ kind }}_pool, 0) as {{ kind }}_pool
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from order_lines
    left join named_totals
        on
            order_lines.source_system = named_totals.source_system
            and order_lines.order_line_id = named_totals.order_line_id
    left join pools
        on
            order_lines.source_system = pools.source_system
            and order_lines.order_id = pools.order_id
            and order_lines.product_key = pools.product_key
            and order_lines.unit = pools.unit
            and order_lines.direction = pools.direction
),

spread as (
    select
        *,
        {% for kind in kinds -%}
            coalesce(
                sum(abs(quantity) - {{ kind }}_direct) over earlier_lines, 0
            ) as {{ kind }}_room_before,
            sum(abs(quantity) - {{ kind }}_direct) over same_product as {{ kind }}_room,
            {{ kind }}_pool + sum({{ kind }}_surplus) over same_product as {{ kind }}_rest,
        {% endfor -%}
        row_number() over (
            partition by source_system, order_id, product_key, unit, direction
            order by line_number desc nulls first, order_line_id desc
        ) as place_from_last
    from direct
    window
        same_product as (
            partition by source_system, order_id, product_key, unit, direction
        ),
        earlier_lines as (
            partition by source_system, order_id, product_key, unit, direction
            order by line_number asc nulls last, order_line_id asc
            rows between unbounded preceding and 1 preceding
        )
),

allocated as (
    select
        *,
        {% for kind in kinds -%}
            direction * (
                {{ kind }}_direct + case
                    when product_key is null then 0
                    else greatest(
                        least(
                            abs(quantity) - {{ kind }}_direct,
                            {{ kind }}_rest - {{ kind }}_room_before
                        ),
                        0
                    )
                end
            ) as {{ kind }},
            case
                when product_key is null then {{ kind }}_surplus
                when place_from_last = 1 then greatest({{ kind }}_rest - {{ kind }}_room, 0)
                else 0
            end as {{ kind }}_over
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from spread
),

-- A kit goes out as its parts, and its parts are billed with it.
kits as (
    select
        parts.source_system,
        parts.kit_parent_line_id as order_line_id,
        min(greatest(parts.shipped / parts.quantity, 0)) as shipped_share
    from allocated as parts
    where parts.kit_parent_line_id is not null and parts.quantity <> 0
    group by parts.source_system, parts.kit_parent_line_id
),

progressed as (
    select
        allocated.source_system,
        allocated.order_line_id,
        allocated.order_id,
        allocated.unit_factor,
        allocated.quantity_ordered as quantity,
        allocated.is_cancelled,
        allocated.shipped as quantity_shipped_directly,
        allocated.invoiced as quantity_invoiced_directly,
        case
            when allocated.shipped = 0 and kits.shipped_share is not null
                then allocated.quantity * least(kits.shipped_share, 1)
            else allocated.shipped
        end as quantity_fulfilled,
        allocated.shipped_over as quantity_over_shipped,
        case
            when
                allocated.invoiced = 0 and parents.quantity <> 0
                and coalesce(allocated.net_amount, 0) = 0
                then allocated.quantity * greatest(least(parents.invoiced / parents.quantity, 1), 0)
            else allocated.invoiced
        end as quantity_billed,
        allocated.invoiced_over as quantity_over_invoiced,
        allocated.returned + allocated.direction * allocated.returned_over as quantity_taken_back,
        allocated.net_amount = 0
        and allocated.invoiced = 0
        and parents.order_line_id is null as is_free
    from allocated
    left join kits
        on
            allocated.source_system = kits.source_system
            and allocated.order_line_id = kits.order_line_id
    left join allocated as parents
        on
            allocated.source_system = parents.source_system
            and allocated.order_id = parents.order_id
            and allocated.kit_parent_line_id = parents.order_line_id
),

told as (
    select
        source_system,
        order_line_id,
        order_id,
        quantity,
        is_cancelled,
        {% for column in [
            'quantity_shipped_directly', 'quantity_invoiced_directly', 'quantity_fulfilled',
            'quantity_over_shipped', 'quantity_billed', 'quantity_over_invoiced',
            'quantity_taken_back',
        ] -%}
            {{ in_own_unit(column, 'unit_factor') }} as {{ column }},
        {% endfor -%}
        is_free
    from progressed
),

judged as (
    select
        source_system,
        order_line_id,
        order_id,
        quantity::numeric(20, 6) as quantity,
        round(quantity_fulfilled, 6)::numeric(20, 6) as quantity_fulfilled,
        quantity_over_shipped::numeric(20, 6) as quantity_over_shipped,
        round(quantity_billed, 6)::numeric(20, 6) as quantity_billed,
        quantity_over_invoiced::numeric(20, 6) as quantity_over_invoiced,
        quantity_taken_back::numeric(20, 6) as quantity_taken_back,
        quantity_shipped_directly::numeric(20, 6) as quantity_shipped_directly,
        quantity_invoiced_directly::numeric(20, 6) as quantity_invoiced_directly,
        case
            when quantity = 0 and quantity_over_shipped = 0 then 'nothing_ordered'
            when is_cancelled and quantity_fulfilled = 0 then 'cancelled'
            else {{ progress_status(
                'round(quantity_fulfilled, 6)', 'quantity', 'quantity_over_shipped',
                progress_words('shipped')
            ) }}
        end as fulfilment_status,
        case
            when quantity = 0 and quantity_over_invoiced = 0 then 'nothing_ordered'
            when is_cancelled and quantity_billed = 0 then 'cancelled'
            when is_free and quantity_over_invoiced = 0 then 'free_of_charge'
            else {{ progress_status(
                'round(quantity_billed, 6)', 'quantity', 'quantity_over_invoiced',
                progress_words('invoiced')
            ) }}
        end as billing_status,
        case
            when quantity_taken_back * sign(quantity) <= 0 then 'none'
            when
                abs(quantity_taken_back) > abs(quantity_fulfilled) + quantity_over_shipped
                then 'over_returned'
            when abs(quantity_taken_back) >= abs(quantity_fulfilled) then 'returned'
            else 'partially_returned'
        end as return_status
    from told
)

select * from judged
