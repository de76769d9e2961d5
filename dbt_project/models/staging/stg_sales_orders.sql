{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('sales_orders') }}
