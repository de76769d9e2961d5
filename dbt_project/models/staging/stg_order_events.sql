{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('order_events') }}
