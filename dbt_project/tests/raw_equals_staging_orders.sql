{{ config(tags=['integrity']) }}
{{ staging_equals_raw('orders', key='order_id', amount='net_amount') }}
