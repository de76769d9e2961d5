{#- What the incremental metric marts depend on. Documents note the order that they belong to, and
    belonged to before, as `order_document`. -#}

{#- Orders that were touched themselves, by a document of theirs, or by their audit trail. -#}
{% macro touched_orders() %}
    {{- return([
        "select source_system, key as order_id from " ~ touched_keys('order') ~ " as touched",
        "select source_system, key as order_id from " ~ touched_keys('order_document') ~ " as touched",
        "select source_system, order_id from " ~ marts_changed(ref('stg_order_events')) ~ " as changed",
    ]) -}}
{% endmacro %}

{#- Orders whose list prices, allowed discounts or approvals may have changed. -#}
{% macro affected_discounts() %}
    {%- set changed = changed_customers([
        ('accounts', ref('stg_accounts'), 'source_key'),
        ('customers', ref('stg_customers'), 'source_key'),
    ]) -%}
    {{- affected_keys(touched_orders() + [
        "select orders.source_system, orders.order_id from " ~ ref('orders') ~ " as orders inner join "
            ~ ref('stg_quote_lines') ~ " as line on orders.crm_source_system = line.source_system and"
            ~ " orders.quote_id = line.quote_id where line.version > " ~ marts_watermark(),
        "select discount.source_system, discount.order_id from " ~ this ~ " as discount inner join "
            ~ marts_changed(ref('stg_quote_lines')) ~ " as changed on discount.quote_line_id ="
            ~ " changed.source_key",
        "select source_system, order_id from " ~ ref('orders') ~ " as orders where customer_id in ("
            ~ changed ~ ")",
    ]) -}}
{% endmacro %}

{#- Also the orders of which something was not known, when a system begins to deliver it. -#}
{% macro affected_order_metrics() %}
    {%- set queries = touched_orders() -%}
    {%- do queries.append(
        "select source_system, key as order_id from " ~ touched_keys('discounted_order') ~ " as touched"
    ) -%}
    {%- for column, relation in [
        ('complaint_count', 'stg_cases'),
        ('returned_units', 'stg_returns'),
        ('is_in_both', 'stg_sales_orders'),
        ('overbilled_amount_reporting', 'shipments'),
        ('is_unapproved_release', 'stg_order_events'),
    ] -%}
        {%- do queries.append(
            "select source_system, order_id from " ~ this ~ " as orders where " ~ column ~ " is null"
            ~ " and exists (select from " ~ ref(relation) ~ ")"
        ) -%}
    {%- endfor -%}
    {{- affected_keys(queries) -}}
{% endmacro %}

{#- Invoices that changed, that a changed credit note corrects or corrected, or whose order's
    shipments changed. -#}
{% macro affected_invoice_metrics() %}
    {%- set invoices = ref('invoices') -%}
    {{- affected_keys([
        "select source_system, key as invoice_id from " ~ touched_keys('invoice') ~ " as touched",
        "select source_system, key as invoice_id from " ~ touched_keys('corrected_invoice') ~ " as touched",
        "select invoice.source_system, invoice.invoice_id from " ~ invoices ~ " as invoice inner join "
            ~ touched_keys('order_document') ~ " as touched on invoice.source_system ="
            ~ " touched.source_system and invoice.order_id = touched.key",
    ]) -}}
{% endmacro %}

{#- Quotes with all their revisions, by number. -#}
{% macro affected_quote_metrics() %}
    {%- set quotes = ref('stg_quotes') -%}
    {%- set chain = "coalesce(quote.quote_number, quote.quote_id)" -%}
    {{- affected_keys([
        "select source_system, key as quote_chain from " ~ touched_keys('quote_chain') ~ " as touched",
        "select quote.source_system, " ~ chain ~ " from " ~ quotes ~ " as quote inner join "
            ~ touched_keys('quote') ~ " as touched on quote.source_system = touched.source_system and"
            ~ " quote.quote_id = touched.key",
        "select quote.source_system, " ~ chain ~ " from " ~ quotes ~ " as quote inner join "
            ~ marts_changed(ref('stg_quote_lines')) ~ " as changed on quote.source_system ="
            ~ " changed.source_system and quote.quote_id = changed.quote_id",
        "select quote.source_system, quote.quote_chain from " ~ this ~ " as quote cross join lateral"
            ~ " unnest(quote.quote_line_ids) as line (quote_line_id) inner join "
            ~ marts_changed(ref('stg_quote_lines')) ~ " as changed on line.quote_line_id ="
            ~ " changed.source_key and quote.source_system = changed.source_system",
        "select quote.source_system, " ~ chain ~ " from " ~ quotes ~ " as quote inner join "
            ~ marts_changed(ref('stg_opportunities')) ~ " as changed on quote.source_system ="
            ~ " changed.source_system and quote.opportunity_id = changed.source_key",
    ]) -}}
{% endmacro %}

{#- Orders that changed: how long that took. -#}
{% macro affected_sync_latencies() %}
    {{- affected_keys([
        "select source_system, order_id from " ~ marts_changed(ref('stg_orders')) ~ " as changed",
    ]) -}}
{% endmacro %}

{#- Payments that changed, or whose invoice or customer did. -#}
{% macro affected_payment_metrics() %}
    {%- set payments = ref('stg_payments') -%}
    {{- affected_keys([
        "select source_system, payment_id from " ~ marts_changed(payments) ~ " as changed",
        "select payment.source_system, payment.payment_id from " ~ payments ~ " as payment inner join "
            ~ touched_keys('invoice') ~ " as touched on payment.source_system = touched.source_system"
            ~ " and payment.invoice_id = touched.key",
        "select payment.source_system, payment.payment_id from " ~ payments ~ " as payment inner join "
            ~ changed_records('customers') ~ " as changed on payment.source_system ="
            ~ " changed.source_system and payment.customer_id = changed.source_key",
        affected_by_rates('paid_date'),
    ]) -}}
{% endmacro %}
