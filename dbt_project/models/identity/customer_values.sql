{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['record'],
        on_schema_change='append_new_columns',
        pre_hook="{{ identity_affected_records('customer_records', 'customers') }}",
        post_hook='{{ identity_analyze() }}',
        indexes=[{'columns': ['record']}, {'columns': ['version']}],
    )
}}
{{ identity_values_of(
    ref('customer_records'),
    identity_customer_values() ~ ' union all ' ~ identity_customer_references()
) }}
