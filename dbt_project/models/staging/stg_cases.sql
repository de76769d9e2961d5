{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('cases') }}
