{{ config(unique_key=['source_system', 'raw_id'], indexes=[{'columns': ['version']}]) }}
{{ accepted_versions('opportunities') }}
