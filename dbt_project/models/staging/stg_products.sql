{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('products') }}
