{{ config(indexes=[{'columns': ['version']}, {'columns': ['source_system', 'order_id']}]) }}
{{ staged('returns') }}
