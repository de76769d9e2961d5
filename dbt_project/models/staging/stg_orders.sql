{{ config(indexes=[{'columns': ['version']}, {'columns': ['source_system', 'customer_id']}]) }}
{{ staged('orders') }}
