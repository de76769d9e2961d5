{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['owner_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['owner_key']}, {'columns': ['product_number']}],
        pre_hook="{{ affected_depot() }}",
    )
}}

with

owned_orders as (
    select
        orders.source_system,
        orders.order_id,
        orders.customer_id,
        orders.order_date,
        orders.ship_to_address_id,
        {{ owner_of_order('orders') }} as owner_key
    from {{ ref('orders') }} as orders
    where {{ only_affected([owner_of_order('orders')]) }}
),

unordered_shipments as (
    select
        shipments.*,
        {{ owner_of_shipment('shipments') }} as owner_key
    from {{ ref('shipments') }} as shipments
    left join {{ ref('orders') }} as orders
        on
            shipments.source_system = orders.source_system
            and shipments.order_id = orders.order_id
    where orders.order_id is null and {{ only_affected([owner_of_shipment('shipments')]) }}
),

-- Only what followed one upon the other: what is still open was not received.
order_flow as (
    select
        flow.step,
        flow.state,
        flow.order_id,
        flow.from_source_system,
        flow.from_line_id,
        flow.to_source_system,
        flow.to_document_id,
        flow.to_line_id,
        flow.quantity,
        flow.to_quantity,
        owned_orders.owner_key,
        owned_orders.customer_id,
        owned_orders.order_date,
        owned_orders.ship_to_address_id
    from owned_orders
    inner join {{ ref('quantity_flow') }} as flow
        on
            owned_orders.source_system = flow.order_source_system
            and owned_orders.order_id = flow.order_id
    where flow.to_line_id is not null
),

---------- what went out, one row per line of a shipment

worth as (
    select
        order_flow.owner_key,
        order_flow.customer_id,
        order_flow.order_id,
        order_flow.order_date,
        order_flow.ship_to_address_id,
        order_flow.to_source_system as source_system,
        order_flow.to_line_id as shipment_line_id,
        -- In the unit of what went out, in which it also comes back.
        order_flow.to_quantity as quantity,
        order_lines.net_amount_reporting
        * (order_flow.quantity / nullif(order_lines.quantity, 0)) as net_amount_reporting
    from order_flow
    left join {{ ref('order_lines') }} as order_lines
        on
            order_flow.from_source_system = order_lines.source_system
            and order_flow.from_line_id = order_lines.order_line_id
    where order_flow.step = 'order_to_shipment'
),

shipped as (
    select
        owner_key,
        customer_id,
        order_id,
        order_date,
        ship_to_address_id,
        source_system,
        shipment_line_id,
        sum(quantity) as quantity,
        sum(net_amount_reporting) as net_amount_reporting
    from worth
    group by
        owner_key,
        customer_id,
        order_id,
        order_date,
        ship_to_address_id,
        source_system,
        shipment_line_id
),

returned as (
    select
        from_source_system as source_system,
        from_line_id as shipment_line_id,
        sum(quantity) as quantity
    from order_flow
    where step = 'shipment_to_return' and state = 'allocated'
    group by from_source_system, from_line_id
),

billed as (
    select
        from_source_system as source_system,
        from_line_id as shipment_line_id,
        array_agg(distinct to_document_id) as invoice_ids
    from order_flow
    where step = 'shipment_to_invoice' and state = 'allocated'
    group by from_source_system, from_line_id
),

shipped_orders as (
    select distinct
        source_system,
        order_id
    from shipped
),

billed_lines as (
    select
        from_source_system as source_system,
        from_line_id as order_line_id,
        array_agg(distinct to_document_id) as invoice_ids
    from order_flow
    where step = 'order_to_invoice' and state = 'allocated'
    group by from_source_system, from_line_id
),

deliveries as (
    select
        shipped.owner_key,
        shipped.customer_id,
        shipped.source_system,
        coalesce(shipments.ship_to_address_id, shipped.ship_to_address_id) as address_id,
        lines.product_number,
        lines.serial_number,
        lines.lot_number,
        shipped.quantity as units_bought,
        coalesce(returned.quantity, 0) as units_returned,
        0 as units_without_shipment,
        shipped.net_amount_reporting,
        shipped.order_id,
        shipped.order_date,
        lines.shipped_at,
        billed.invoice_ids
    from shipped
    inner join {{ ref('shipment_lines') }} as lines
        on
            shipped.source_system = lines.source_system
            and shipped.shipment_line_id = lines.shipment_line_id
    inner join {{ ref('shipments') }} as shipments
        on
            lines.source_system = shipments.source_system
            and lines.shipment_id = shipments.shipment_id
    left join returned
        on
            shipped.source_system = returned.source_system
            and shipped.shipment_line_id = returned.shipment_line_id
    left join billed
        on
            shipped.source_system = billed.source_system
            and shipped.shipment_line_id = billed.shipment_line_id
    union all
    -- A kit goes out as its parts; and where nothing is ever shipped, what is billed was received.
    select
        owned_orders.owner_key,
        owned_orders.customer_id,
        lines.source_system,
        owned_orders.ship_to_address_id as address_id,
        lines.product_number,
        null as serial_number,
        null as lot_number,
        greatest(progress.quantity_fulfilled, progress.quantity_billed) as units_bought,
        least(
            progress.quantity_taken_back,
            greatest(progress.quantity_fulfilled, progress.quantity_billed)
        ) as units_returned,
        greatest(progress.quantity_fulfilled, progress.quantity_billed)
            as units_without_shipment,
        lines.net_amount_reporting * (
            greatest(progress.quantity_fulfilled, progress.quantity_billed)
            / nullif(lines.quantity, 0)
        ) as net_amount_reporting,
        lines.order_id,
        lines.order_date,
        null as shipped_at,
        billed_lines.invoice_ids
    from owned_orders
    inner join {{ ref('order_lines') }} as lines
        on
            owned_orders.source_system = lines.source_system
            and owned_orders.order_id = lines.order_id
    inner join {{ ref('order_line_progress') }} as progress
        on
            lines.source_system = progress.source_system
            and lines.order_line_id = progress.order_line_id
    left join shipped_orders
        on
            lines.source_system = shipped_orders.source_system
            and lines.order_id = shipped_orders.order_id
    left join billed_lines
        on
            lines.source_system = billed_lines.source_system
            and lines.order_line_id = billed_lines.order_line_id
    where
        progress.quantity_shipped_directly = 0
        and (
            progress.quantity_fulfilled > 0
            or (progress.quantity_billed > 0 and shipped_orders.order_id is null)
        )
    union all
    select
        unordered_shipments.owner_key,
        unordered_shipments.customer_id,
        lines.source_system,
        unordered_shipments.ship_to_address_id as address_id,
        lines.product_number,
        lines.serial_number,
        lines.lot_number,
        lines.quantity as units_bought,
        0 as units_returned,
        0 as units_without_shipment,
        null as net_amount_reporting,
        null as order_id,
        null as order_date,
        lines.shipped_at,
        null as invoice_ids
    from unordered_shipments
    inner join {{ ref('shipment_lines') }} as lines
        on
            unordered_shipments.source_system = lines.source_system
            and unordered_shipments.shipment_id = lines.shipment_id
    left join {{ ref('orders') }} as orders
        on
            lines.source_system = orders.source_system
            and lines.order_id = orders.order_id
    where orders.order_id is null
),

sites as (
    select
        split_part(record.name, '|', 1) as source_system,
        split_part(record.name, '|', 3) as address_id,
        min(addresses.site_key) as site_key
    from {{ ref('customer_addresses') }} as addresses
    cross join lateral unnest(addresses.source_records) as record (name)
    where split_part(record.name, '|', 2) = 'addresses'
    group by split_part(record.name, '|', 1), split_part(record.name, '|', 3)
),

placed as (
    select
        deliveries.*,
        sites.site_key
    from deliveries
    left join sites
        on
            deliveries.source_system = sites.source_system
            and deliveries.address_id = sites.address_id
),

invoice_lists as (
    select
        placed.owner_key,
        placed.site_key,
        placed.product_number,
        placed.serial_number,
        placed.lot_number,
        count(distinct placed.source_system || '|' || invoice.invoice_id) as invoice_count,
        string_agg(distinct invoice.invoice_id, ', ' order by invoice.invoice_id) as invoice_ids
    from placed
    cross join lateral unnest(placed.invoice_ids) as invoice (invoice_id)
    group by
        placed.owner_key,
        placed.site_key,
        placed.product_number,
        placed.serial_number,
        placed.lot_number
),

depot as (
    select
        owner_key,
        site_key,
        product_number,
        serial_number,
        lot_number,
        min(customer_id) as customer_id,
        sum(units_bought) as units_bought,
        sum(units_returned) as units_returned,
        sum(units_without_shipment) as units_without_shipment,
        sum(net_amount_reporting) as net_amount_reporting,
        sum(net_amount_reporting * (1 - units_returned / nullif(units_bought, 0)))
            as in_use_net_amount_reporting,
        count(distinct source_system || '|' || order_id) as order_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        min(shipped_at) as first_shipped_at,
        max(shipped_at) as last_shipped_at
    from placed
    group by owner_key, site_key, product_number, serial_number, lot_number
),

purchased as (
    select
        md5(
            concat_ws(
                '|',
                depot.owner_key,
                coalesce(depot.site_key, ''),
                coalesce(depot.product_number, ''),
                coalesce('S' || depot.serial_number, ''),
                coalesce('L' || depot.lot_number, '')
            )
        ) as depot_id,
        depot.owner_key,
        depot.customer_id,
        depot.site_key,
        depot.product_number,
        depot.serial_number,
        depot.lot_number,
        depot.units_bought,
        depot.units_returned,
        depot.units_bought - depot.units_returned as units_in_use,
        depot.units_without_shipment,
        depot.first_order_date,
        depot.last_order_date,
        depot.order_count,
        depot.first_shipped_at,
        depot.last_shipped_at,
        coalesce(invoice_lists.invoice_count, 0) as invoice_count,
        invoice_lists.invoice_ids,
        {{ reporting_currency() }} as reporting_currency,
        round(depot.net_amount_reporting, 4) as net_amount_reporting,
        round(depot.in_use_net_amount_reporting, 4) as in_use_net_amount_reporting
    from depot
    left join invoice_lists
        on
            depot.owner_key = invoice_lists.owner_key
            and coalesce(depot.site_key, '') = coalesce(invoice_lists.site_key, '')
            and coalesce(depot.product_number, '') = coalesce(invoice_lists.product_number, '')
            and coalesce(depot.serial_number, '') = coalesce(invoice_lists.serial_number, '')
            and coalesce(depot.lot_number, '') = coalesce(invoice_lists.lot_number, '')
)

select * from purchased
