{{ config(indexes=[{'columns': ['version']}, {'columns': ['shipment_id']}, {'columns': ['order_line_id']}]) }}
{{ staged('shipment_lines') }}
