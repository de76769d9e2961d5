{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['record'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_records('contact_records', 'contacts') }}",
        post_hook='{{ identity_analyze() }}',
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}
{{ identity_values_of(ref('contact_records'), identity_contact_values()) }}
