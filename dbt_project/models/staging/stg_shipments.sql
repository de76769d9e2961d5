{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('shipments') }}
