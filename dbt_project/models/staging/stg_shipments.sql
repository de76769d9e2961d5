{{ config(indexes=[{'columns': ['version']}, {'columns': ['source_system', 'customer_id']}, {'columns': ['source_system', 'order_id']}]) }}
{{ staged('shipments') }}
