{{ config(indexes=[{'columns': ['version']}]) }}
{{ staged('invoices') }}
