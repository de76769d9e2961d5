{{ config(materialized='table') }}
{{ identity_clashes_of(ref('customer_key_pairs'), ref('customer_key_links')) }}
