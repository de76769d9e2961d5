{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('fx_rates') }}
