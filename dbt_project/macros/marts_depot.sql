{#- Whose an order's goods are: the customer's, or as long as none is known the order's own. -#}
{% macro owner_of_order(orders) -%}
    coalesce(
        {{ orders }}.customer_id,
        'order|' || {{ orders }}.source_system || '|' || {{ orders }}.order_id
    )
{%- endmacro %}

{#- Goods that no published order asks for are those of whom they were sent to. -#}
{% macro owner_of_shipment(shipments) -%}
    coalesce(
        {{ shipments }}.customer_id,
        'shipment|' || {{ shipments }}.source_system || '|' || {{ shipments }}.shipment_id
    )
{%- endmacro %}

{#- Owners whose orders, shipments or sites may have changed, or who became somebody else. -#}
{% macro affected_depot() %}
    {{- affected_keys([
        "select key as owner_key from " ~ touched_keys('customer') ~ " as touched",
        "select 'order|' || source_system || '|' || key from " ~ touched_keys('order') ~ " as touched",
        "select 'shipment|' || source_system || '|' || key from " ~ touched_keys('shipment') ~ " as touched",
        changed_customers([('customers', ref('stg_addresses'), 'customer_id')]),
        "select coalesce(" ~ owner_of_order('orders') ~ ", " ~ owner_of_shipment('shipments') ~ ") from "
            ~ ref('shipments') ~ " as shipments inner join " ~ marts_changed(ref('stg_addresses'))
            ~ " as changed on shipments.source_system = changed.source_system and"
            ~ " shipments.ship_to_address_id = changed.source_key left join " ~ ref('orders')
            ~ " as orders on shipments.source_system = orders.source_system"
            ~ " and shipments.order_id = orders.order_id",
    ]) -}}
{% endmacro %}
