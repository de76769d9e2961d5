{{ config(materialized='table') }}
{{ identity_clashes_of(ref('product_key_pairs'), ref('product_key_links')) }}
