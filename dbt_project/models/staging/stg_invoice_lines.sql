{{ config(indexes=[{'columns': ['version']}, {'columns': ['invoice_id']}, {'columns': ['order_line_id']}]) }}
{{ staged('invoice_lines') }}
