{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('returns') }}
