{{ config(tags=['integrity']) }}
{{ staging_equals_raw('products', key='product_id') }}
