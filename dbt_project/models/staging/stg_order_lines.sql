{{ config(indexes=[{'columns': ['version']}, {'columns': ['order_id']}]) }}
{{ staged('order_lines') }}
