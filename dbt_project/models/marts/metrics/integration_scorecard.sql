{{ config(materialized='table', contract={'enforced': true}) }}
-- depends_on: {{ ref('order_metrics') }} {{ ref('invoice_metrics') }} {{ ref('complaint_metrics') }}
-- depends_on: {{ ref('receivables') }} {{ ref('quote_metrics') }} {{ ref('discount_leakage') }}
-- depends_on: {{ ref('forecast_accuracy') }} {{ ref('match_metrics') }} {{ ref('pipeline_health') }}
-- depends_on: {{ ref('stg_cases') }} {{ ref('stg_invoices') }} {{ ref('stg_opportunities') }}
-- depends_on: {{ ref('stg_order_events') }} {{ ref('stg_payments') }} {{ ref('stg_quote_lines') }}
-- depends_on: {{ ref('stg_quotes') }} {{ ref('stg_returns') }} {{ ref('stg_sales_orders') }}
-- depends_on: {{ ref('stg_shipments') }} {{ ref('stg_orders') }} {{ ref('stg_sales_order_lines') }}
-- depends_on: {{ ref('metric_unavailable') }} {{ ref('metric_settings') }}
{{ scorecard() }}
