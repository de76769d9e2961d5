{{ config(tags=['integrity']) }}
{{ staging_equals_raw('invoices', key='invoice_id', amount='net_amount') }}
