{{ config(tags=['integrity']) }}
{{ staging_equals_raw('shipment_lines', key='shipment_line_id') }}
