{{ config(tags=['integrity']) }}
{{ staging_equals_raw('accounts', key='account_id') }}
