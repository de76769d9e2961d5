{{ config(tags=['integrity']) }}
{{ staging_equals_raw('payments', key='payment_id', amount='amount') }}
