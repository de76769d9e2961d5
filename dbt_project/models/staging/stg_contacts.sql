{{ config(indexes=[{'columns': ['version']}, {'columns': ['source_system', 'account_id']}, {'columns': ['source_system', 'customer_id']}]) }}
{{ staged('contacts') }}
