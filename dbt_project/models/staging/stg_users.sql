{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('users') }}
