{{ config(materialized='table') }}
{{ identity_clashes_of(ref('contact_key_pairs'), ref('contact_key_links')) }}
