{{ config(indexes=[{'columns': ['version']}, {'columns': ['invoice_id']}]) }}
{{ staged('invoice_lines') }}
