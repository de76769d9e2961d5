{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('leads') }}
