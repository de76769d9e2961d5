{{ config(tags=['integrity']) }}
{{ staging_equals_raw('order_lines', key='order_line_id', amount='net_amount') }}
