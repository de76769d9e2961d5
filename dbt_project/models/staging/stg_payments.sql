{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('payments') }}
