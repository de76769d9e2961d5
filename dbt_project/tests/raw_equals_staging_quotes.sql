{{ config(tags=['integrity']) }}
{{ staging_equals_raw('quotes', key='quote_id', amount='net_amount') }}
