{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('addresses') }}
