{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('orders') }}
