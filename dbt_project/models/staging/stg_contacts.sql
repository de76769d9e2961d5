{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('contacts') }}
