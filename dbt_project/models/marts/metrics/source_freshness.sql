{{ config(materialized='table', contract={'enforced': true}) }}

{%- set entities = [
    'accounts', 'addresses', 'cases', 'contacts', 'customers', 'fx_rates', 'invoice_lines',
    'invoices', 'leads', 'opportunities', 'opportunity_lines', 'order_events', 'order_lines',
    'orders', 'payments', 'products', 'quote_lines', 'quotes', 'return_lines', 'returns',
    'sales_order_lines', 'sales_orders', 'shipment_lines', 'shipments', 'users',
] %}
{#- What the last run found stays true, since rows are only replaced by newer ones. #}
{%- set previous = marts_previous_unless_full('source_freshness') %}

with

newest as (
    {%- for entity in entities %}
        select
            source_system,
            '{{ entity }}' as entity,
            max(modified_at) as newest_modified_at,
            max(version) as run_id
        from {{ ref('stg_' ~ entity) }}
        where {{ 'version > ' ~ marts_watermark() if previous else 'true' }}
        group by source_system
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
    {%- if previous %}
        union all
        select
            source_system,
            entity,
            newest_modified_at,
            run_id
        from {{ previous }}
    {% endif %}
),

final as (
    select
        source_system,
        entity,
        max(newest_modified_at) as newest_modified_at,
        max(run_id) as run_id,
        -- Depend on the moment, so the published view computes them.
        null::timestamptz as last_landed_at,
        null::numeric(20, 2) as freshness_minutes
    from newest
    group by source_system, entity
)

select * from final
