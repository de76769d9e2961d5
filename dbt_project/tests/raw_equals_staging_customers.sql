{{ config(tags=['integrity']) }}
{{ staging_equals_raw('customers', key='customer_id') }}
