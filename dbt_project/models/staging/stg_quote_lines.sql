{{ config(indexes=[{'columns': ['version']}, {'columns': ['quote_id']}]) }}
{{ staged('quote_lines') }}
