{{ config(indexes=[{'columns': ['version']}, {'columns': ['opportunity_id']}]) }}
{{ staged('opportunity_lines') }}
