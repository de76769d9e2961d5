{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('opportunities') }}
