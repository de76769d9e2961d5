{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'order_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['order_date']}],
        pre_hook="{{ affected_order_metrics() }}",
    )
}}

{%- set returned_in_time -%}
    return_lines.return_date
    <= {{ utc_date('shipping.first_shipped_at') }}
    + {{ metric_setting('return_maturity_days') }}::integer
{%- endset %}

with

{{ unit_rules() }},

orders as (
    select * from {{ ref('orders') }} as orders
    where {{ is_countable('orders') }} and {{ only_affected(['source_system', 'order_id']) }}
),

order_lines as (
    select * from {{ ref('order_lines') }} as order_lines
    where
        {{ is_countable_line('order_lines') }}
        and {{ only_affected(['source_system', 'order_id']) }}
),

discounts as (
    select
        source_system,
        order_id,
        bool_or(requires_approval) as requires_approval,
        bool_and(is_approved_in_time) filter (where requires_approval) as is_approved_in_time
    from {{ ref('discount_leakage') }}
    where {{ only_affected(['source_system', 'order_id']) }}
    group by source_system, order_id
),

events as (
    select * from {{ ref('stg_order_events') }}
    where not is_deleted and {{ only_affected(['source_system', 'order_id']) }}
),

releases as (
    select
        source_system,
        order_id,
        min(occurred_at) filter (where event = 'created') as submitted_at,
        min(occurred_at) filter (where event = 'released') as released_at
    from events
    group by source_system, order_id
),

invoices as (
    select * from {{ ref('invoices') }}
    where
        order_id is not null
        and not {{ is_called_off('status') }}
        and {{ only_affected(['source_system', 'order_id']) }}
),

billing as (
    select
        source_system,
        order_id,
        min(invoice_date) filter (where type = 'invoice') as first_invoice_date,
        count(*) filter (where type = 'invoice') as invoice_count,
        count(*) filter (where type = 'credit_note' and reason = 'price_correction')
            as correction_count
    from invoices
    group by source_system, order_id
),

-- Who touched an order before its release, and which later changes correct what was ordered. A
-- service is no person; where nobody says who it was, the number of touches is not known.
audit as (
    select
        events.source_system,
        events.order_id,
        releases.submitted_at,
        releases.released_at,
        bool_or(
            events.event in ('created', 'changed')
            and events.occurred_at <= coalesce(releases.released_at, 'infinity')
            and events.actor_is_service is null
        ) as is_unsigned,
        count(*) filter (
            where
            events.event = 'created'
            and events.occurred_at <= coalesce(releases.released_at, 'infinity')
            and not events.actor_is_service
        ) as created_count,
        count(*) filter (
            where
            events.event = 'changed'
            and events.occurred_at <= coalesce(releases.released_at, 'infinity')
            and not events.actor_is_service
        ) as changed_count,
        count(*) filter (
            where
            events.event = 'changed'
            and events.field in (
                'product_number', 'quantity', 'unit_price', 'discount_pct', 'net_amount',
                'ship_to_address_id', 'bill_to_address_id'
            )
            and events.occurred_at > releases.released_at
            and (
                billing.first_invoice_date is null
                or {{ utc_date('events.occurred_at') }} <= billing.first_invoice_date
            )
        ) as correction_count,
        (
            array_agg(
                case
                    when pg_input_is_valid(events.old_value, 'date') then events.old_value::date
                end
                order by events.occurred_at
            ) filter (where events.event = 'changed' and events.field = 'promised_date')
        )[1] as first_promised_date
    from events
    inner join releases
        on events.source_system = releases.source_system and events.order_id = releases.order_id
    left join billing
        on events.source_system = billing.source_system and events.order_id = billing.order_id
    group by events.source_system, events.order_id, releases.submitted_at, releases.released_at
),

delivered as (
    select
        shipment_lines.source_system,
        shipment_lines.order_id,
        shipment_lines.order_line_id,
        min(shipments.shipped_at) as first_shipped_at,
        max(shipments.shipped_at) as last_shipped_at,
        case
            when count(shipments.delivered_at) = count(*) then max(shipments.delivered_at)
        end as delivered_at
    from {{ ref('shipment_lines') }} as shipment_lines
    inner join {{ ref('shipments') }} as shipments
        on
            shipment_lines.source_system = shipments.source_system
            and shipment_lines.shipment_id = shipments.shipment_id
    where {{ only_affected(['shipment_lines.source_system', 'shipment_lines.order_id']) }}
    group by
        shipment_lines.source_system, shipment_lines.order_id, shipment_lines.order_line_id
),

shipping as (
    select
        source_system,
        order_id,
        min(first_shipped_at) as first_shipped_at,
        max(last_shipped_at) as last_shipped_at,
        case when count(delivered_at) = count(*) then max(delivered_at) end as delivered_at
    from delivered
    group by source_system, order_id
),

lines_sent_back as (
    select
        order_lines.source_system,
        order_lines.order_line_id,
        {{ base_unit('order_lines') }} as base_unit,
        {{ unit_factor() }} as unit_factor
    from order_lines
    {{ join_unit_rules('order_lines') }}
    where (order_lines.source_system, order_lines.order_line_id) in (
        select
            source_system,
            order_line_id
        from {{ ref('return_lines') }}
    )
),

returned as (
    select
        return_lines.source_system,
        return_lines.order_line_id,
        min(return_lines.return_date) as first_return_date,
        -{{ sum_in_unit_of_order('return_lines', returned_in_time) }} as quantity
    from {{ ref('return_lines') }} as return_lines
    inner join lines_sent_back as order_lines
        on
            return_lines.source_system = order_lines.source_system
            and return_lines.order_line_id = order_lines.order_line_id
    inner join shipping
        on
            return_lines.source_system = shipping.source_system
            and return_lines.order_id = shipping.order_id
    {{ join_unit_rules('return_lines') }}
    where {{ only_affected(['return_lines.source_system', 'return_lines.order_id']) }}
    group by return_lines.source_system, return_lines.order_line_id
),

complaints as (
    select
        order_source_system as source_system,
        order_id,
        count(*) as complaint_count
    from {{ ref('complaints') }}
    where order_id is not null and {{ only_affected(['order_source_system', 'order_id']) }}
    group by order_source_system, order_id
),

-- The components of SCOR's perfect order, line by line: 1, 0, or null where nobody knows.
lines_judged as (
    select
        order_lines.*,
        order_lines.net_amount_reporting / nullif(order_lines.quantity, 0) as unit_amount_reporting,
        delivered.order_line_id is not null as is_shipped,
        coalesce(returned.quantity, 0) as quantity_returned_in_time,
        -- An order without any shipment says nothing of how it was delivered.
        case
            when shipping.order_id is not null
                then order_lines.quantity_shipped = order_lines.quantity
        end as is_in_full,
        case
            when delivered.order_line_id is null and shipping.order_id is not null then false
            else
                {{ utc_date('delivered.delivered_at') }}
                <= coalesce(audit.first_promised_date, orders.promised_date)
        end as is_on_time,
        order_lines.quantity_returned = 0 as is_undamaged
    from order_lines
    inner join orders
        on
            order_lines.source_system = orders.source_system
            and order_lines.order_id = orders.order_id
    left join audit
        on
            order_lines.source_system = audit.source_system
            and order_lines.order_id = audit.order_id
    left join shipping
        on
            order_lines.source_system = shipping.source_system
            and order_lines.order_id = shipping.order_id
    left join delivered
        on
            order_lines.source_system = delivered.source_system
            and order_lines.order_line_id = delivered.order_line_id
            and order_lines.order_id = delivered.order_id
    left join returned
        on
            order_lines.source_system = returned.source_system
            and order_lines.order_line_id = returned.order_line_id
),

line_sums as (
    select
        source_system,
        order_id,
        count(*) as line_count,
        count(*) filter (where is_shipped) as shipped_line_count,
        count(*) filter (where is_shipped and quantity_returned_in_time > 0)
            as returned_line_count,
        coalesce(sum(quantity_shipped) filter (where is_shipped), 0) as shipped_units,
        coalesce(sum(quantity_returned_in_time) filter (where is_shipped), 0) as returned_units,
        sum(
            greatest(quantity_shipped - quantity_invoiced - quantity_returned, 0)
            * unit_amount_reporting
        )
            as unbilled_amount_reporting,
        sum(greatest(quantity_invoiced - quantity_shipped, 0) * unit_amount_reporting)
            as overbilled_amount_reporting,
        bool_and(is_in_full) as is_in_full,
        case when count(is_on_time) = count(*) then bool_and(is_on_time) end as is_on_time,
        bool_and(is_undamaged) as is_undamaged
    from lines_judged
    group by source_system, order_id
),

minutes as (
    select
        sum(minutes_low) filter (where touch = 'created') as created_low,
        sum(minutes) filter (where touch = 'created') as created_usual,
        sum(minutes_high) filter (where touch = 'created') as created_high,
        sum(minutes_low) filter (where touch = 'changed') as changed_low,
        sum(minutes) filter (where touch = 'changed') as changed_usual,
        sum(minutes_high) filter (where touch = 'changed') as changed_high
    from {{ ref('metric_touch_minutes') }}
),

-- What no system delivers is not known to be nought.
landed as (
    select
        exists(select from {{ ref('stg_returns') }}) as has_returns,
        exists(select from {{ ref('stg_cases') }}) as has_cases,
        exists(select from {{ ref('stg_sales_orders') }}) as has_sales_orders,
        exists(select from {{ ref('shipments') }}) as has_shipments,
        exists(select from {{ ref('stg_order_events') }}) as has_order_events
),

joined as (
    select
        orders.source_system,
        orders.order_id,
        orders.order_date,
        orders.customer_id,
        orders.company,
        orders.entry_source,
        orders.status,
        coalesce(
            orders.crm_source_system || '|' || orders.sales_order_id,
            orders.source_system || '|' || orders.order_id
        ) as commercial_order,
        orders.net_amount_reporting,
        coalesce(line_sums.line_count, 0) as line_count,
        case when not audit.is_unsigned then audit.created_count end as created_touches,
        case when not audit.is_unsigned then audit.changed_count end as changed_touches,
        case when landed.has_sales_orders then orders.sales_order_id is not null end as is_in_both,
        -- An order that a service, EDI or the web entered was not typed again.
        case
            when orders.sales_order_id is not null
                then coalesce(
                    audit.created_count > 0 and not audit.is_unsigned,
                    orders.entry_source = 'manual'
                )
        end as is_typed_twice,
        coalesce(audit.submitted_at, orders.created_at) as submitted_at,
        audit.released_at,
        audit.correction_count,
        shipping.first_shipped_at,
        shipping.last_shipped_at,
        shipping.delivered_at,
        orders.requested_date,
        coalesce(audit.first_promised_date, orders.promised_date) as promised_date,
        coalesce(line_sums.shipped_line_count, 0) as shipped_line_count,
        case when landed.has_returns then coalesce(line_sums.returned_line_count, 0) end
            as returned_line_count,
        coalesce(line_sums.shipped_units, 0) as shipped_units,
        case when landed.has_returns then coalesce(line_sums.returned_units, 0) end
            as returned_units,
        line_sums.unbilled_amount_reporting,
        case when landed.has_shipments then line_sums.overbilled_amount_reporting end
            as overbilled_amount_reporting,
        line_sums.is_in_full,
        line_sums.is_on_time,
        case when billing.invoice_count > 0 then billing.correction_count = 0 end as is_documented,
        case when landed.has_returns then line_sums.is_undamaged end as is_undamaged,
        coalesce(orders.status in ('shipped', 'invoiced', 'closed'), false) as is_completed,
        case when landed.has_cases then coalesce(complaints.complaint_count, 0) end
            as complaint_count,
        coalesce(discounts.requires_approval, false) as requires_approval,
        coalesce(discounts.is_approved_in_time, false) as is_approved_in_time,
        landed.has_order_events
    from orders
    left join line_sums
        on
            orders.source_system = line_sums.source_system
            and orders.order_id = line_sums.order_id
    left join audit
        on orders.source_system = audit.source_system and orders.order_id = audit.order_id
    left join billing
        on orders.source_system = billing.source_system and orders.order_id = billing.order_id
    left join shipping
        on orders.source_system = shipping.source_system and orders.order_id = shipping.order_id
    left join complaints
        on
            orders.source_system = complaints.source_system
            and orders.order_id = complaints.order_id
    left join discounts
        on
            orders.source_system = discounts.source_system
            and orders.order_id = discounts.order_id
    cross join landed
),

measured as (
    select
        joined.*,
        created_touches + changed_touches as touches,
        created_touches + changed_touches = 0 as is_touchless,
        round(created_touches * minutes.created_low + changed_touches * minutes.changed_low, 2)
            as entry_minutes_low,
        round(created_touches * minutes.created_usual + changed_touches * minutes.changed_usual, 2)
            as entry_minutes,
        round(created_touches * minutes.created_high + changed_touches * minutes.changed_high, 2)
            as entry_minutes_high,
        round(
            (
                created_touches * minutes.created_usual + changed_touches * minutes.changed_usual
            )
            / 60
            * {{ metric_setting('hourly_cost') }},
            4
        ) as entry_cost_reporting,
        {{ hours_between('joined.submitted_at', 'joined.released_at') }} as entry_hours,
        is_completed and num_nulls(is_in_full, is_on_time, is_documented, is_undamaged) = 0
            as is_assessable,
        is_in_full and is_on_time and is_documented and is_undamaged as is_all_right,
        round(extract(epoch from delivered_at - submitted_at)::numeric / 86400, 4)
            as fulfilment_days,
        greatest(
            requested_date - order_date - {{ metric_setting('standard_lead_days') }}, 0
        ) as dwell_days
    from joined
    cross join minutes
),

final as (
    select
        source_system,
        order_id,
        order_date,
        customer_id,
        company,
        entry_source,
        status,
        commercial_order,
        net_amount_reporting,
        line_count,
        created_touches,
        changed_touches,
        touches,
        is_touchless,
        entry_minutes_low,
        entry_minutes,
        entry_minutes_high,
        is_in_both,
        is_typed_twice,
        submitted_at,
        released_at,
        entry_hours,
        released_at is not null as is_released,
        released_at is not null and correction_count > 0 as is_changed_after_release,
        {{ utc_date('first_shipped_at') }} as first_shipped_date,
        {{ utc_date('last_shipped_at') }} as last_shipped_date,
        {{ utc_date('delivered_at') }} as delivered_date,
        promised_date,
        shipped_line_count,
        returned_line_count,
        shipped_units,
        returned_units,
        round(unbilled_amount_reporting, 4) as unbilled_amount_reporting,
        round(overbilled_amount_reporting, 4) as overbilled_amount_reporting,
        is_completed,
        case when is_completed then is_in_full end as is_in_full,
        case when is_completed then is_on_time end as is_on_time,
        case when is_completed then is_documented end as is_documented,
        case when is_completed then is_undamaged end as is_undamaged,
        is_assessable,
        is_completed and not is_assessable as is_not_assessable,
        case when is_assessable then is_all_right end as is_perfect,
        fulfilment_days,
        case
            when
                fulfilment_days is not null
                then greatest(fulfilment_days - coalesce(dwell_days, 0), 0)
        end
            as net_fulfilment_days,
        round(extract(epoch from first_shipped_at - released_at)::numeric / 86400, 4)
            as release_to_ship_days,
        round(extract(epoch from delivered_at - last_shipped_at)::numeric / 86400, 4)
            as ship_to_receipt_days,
        complaint_count,
        requires_approval,
        case
            when has_order_events
                then requires_approval and not is_approved_in_time and released_at is not null
        end as is_unapproved_release,
        case when has_order_events then requires_approval and released_at is not null end
            as is_release_with_approval_due,
        entry_cost_reporting
    from measured
)

select * from final
