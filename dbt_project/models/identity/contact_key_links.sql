{{ config(materialized='table', post_hook='analyze {{ this }}') }}
{{ identity_links_of(ref('contact_key_pairs')) }}
