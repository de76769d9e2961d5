{{ config(materialized='table', post_hook='analyze {{ this }}') }}
{{ identity_links_of(ref('product_key_pairs')) }}
