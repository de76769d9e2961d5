{{ config(tags=['integrity']) }}
{{ staging_equals_raw('invoice_lines', key='invoice_line_id', amount='net_amount') }}
