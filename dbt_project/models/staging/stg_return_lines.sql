{{ config(indexes=[{'columns': ['version']}, {'columns': ['return_id']}]) }}
{{ staged('return_lines') }}
