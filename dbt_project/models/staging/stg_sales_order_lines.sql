{{ config(indexes=[{'columns': ['version']}, {'columns': ['sales_order_id']}]) }}
{{ staged('sales_order_lines') }}
