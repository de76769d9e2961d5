{{ config(materialized='table', post_hook='analyze {{ this }}') }}
{{ identity_links_of(ref('customer_key_pairs')) }}
