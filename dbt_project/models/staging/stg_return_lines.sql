{{ config(indexes=[{'columns': ['version']}, {'columns': ['return_id']}, {'columns': ['order_line_id']}]) }}
{{ staged('return_lines') }}
