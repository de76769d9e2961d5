{{ config(materialized='table', contract={'enforced': true}) }}
-- depends_on: {{ ref('order_metrics') }} {{ ref('invoice_metrics') }}
-- depends_on: {{ ref('complaint_metrics') }} {{ ref('receivables') }} {{ ref('quote_metrics') }}
-- depends_on: {{ ref('discount_leakage') }} {{ ref('forecast_accuracy') }}
-- depends_on: {{ ref('match_metrics') }} {{ ref('pipeline_health') }}
-- depends_on: {{ ref('document_match') }} {{ ref('purchased_products') }}
-- depends_on: {{ ref('stg_cases') }} {{ ref('stg_invoices') }} {{ ref('stg_opportunities') }}
-- depends_on: {{ ref('stg_order_events') }} {{ ref('stg_payments') }}
-- depends_on: {{ ref('stg_quote_lines') }} {{ ref('stg_quotes') }} {{ ref('stg_returns') }}
-- depends_on: {{ ref('stg_sales_orders') }} {{ ref('stg_sales_order_lines') }}
-- depends_on: {{ ref('stg_shipments') }}
-- depends_on: {{ ref('metric_unavailable') }} {{ ref('metric_settings') }}
{{ scorecard() }}
