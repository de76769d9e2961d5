{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('customers') }}
