{{ config(tags=['integrity']) }}
{{ staging_equals_raw('sales_orders', key='sales_order_id', amount='net_amount') }}
