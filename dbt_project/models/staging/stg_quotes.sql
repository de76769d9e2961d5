{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('quotes') }}
