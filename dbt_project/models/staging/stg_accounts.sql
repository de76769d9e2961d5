{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('accounts') }}
