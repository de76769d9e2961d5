{{ config(indexes=[{'columns': ['version']}, {'columns': ['shipment_id']}]) }}
{{ staged('shipment_lines') }}
