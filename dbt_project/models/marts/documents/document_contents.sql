{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'document_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        pre_hook="{{ affected_document_contents() }}",
    )
}}

{%- set line_fields = ['product_number', 'unit'] %}
{%- set line_numbers = ['quantity', 'unit_price', 'discount_pct', 'net_amount', 'tax_amount'] %}
{%- set header_numbers = ['net_amount', 'tax_amount', 'gross_amount'] %}

with

orders as (
    select
        orders.*,
        {{ is_called_off('orders.status') }} as is_cancelled,
        {{ is_complete_order('orders') }} as is_complete
    from {{ ref('orders') }} as orders
    where {{ only_affected_of('order', ['orders.source_system', 'orders.order_id']) }}
),

order_contents as (
    select
        lines.source_system,
        lines.order_id,
        jsonb_agg(
            {{ content_of('lines', ['order_line_id'] + line_fields, line_numbers) }}
            order by lines.order_line_id
        ) as content
    from {{ ref('order_lines') }} as lines
    where {{ only_affected_of('order', ['lines.source_system', 'lines.order_id']) }}
    group by lines.source_system, lines.order_id
),

-- An invoice for several orders is complete once all of them are.
invoice_contents as (
    select
        lines.source_system,
        lines.invoice_id,
        bool_and({{ is_complete_order('orders') }}) as is_complete,
        jsonb_agg(
            {{ content_of(
                'lines', ['invoice_line_id', 'order_line_id'] + line_fields, line_numbers
            ) }}
            order by lines.invoice_line_id
        ) as content
    from {{ ref('invoice_lines') }} as lines
    left join {{ ref('orders') }} as orders
        on
            lines.source_system = orders.source_system
            and lines.order_id = orders.order_id
    where {{ only_affected_of('invoice', ['lines.source_system', 'lines.invoice_id']) }}
    group by lines.source_system, lines.invoice_id
),

contents as (
    select
        orders.source_system,
        'order|' || orders.order_id as document_key,
        'order' as document_type,
        orders.order_id as document_id,
        orders.order_number as document_number,
        orders.order_id,
        orders.is_complete,
        {{ content_of(
            'orders',
            [
                'order_number', 'erp_customer_id', 'order_date', 'currency', 'external_reference',
                'company', 'bill_to_address_id', 'ship_to_address_id', 'is_cancelled',
            ],
            header_numbers
        ) }} || jsonb_build_object('lines', order_contents.content) as content,
        {{ content_of('orders', [
            'bill_to_addressee', 'bill_to_street', 'bill_to_street2', 'bill_to_city',
            'bill_to_region', 'bill_to_postal_code', 'bill_to_country', 'ship_to_addressee',
            'ship_to_street', 'ship_to_street2', 'ship_to_city', 'ship_to_region',
            'ship_to_postal_code', 'ship_to_country',
        ]) }} as addresses
    from orders
    inner join order_contents
        on
            orders.source_system = order_contents.source_system
            and orders.order_id = order_contents.order_id
    union all
    select
        invoices.source_system,
        'invoice|' || invoices.invoice_id as document_key,
        'invoice' as document_type,
        invoices.invoice_id as document_id,
        invoices.invoice_number as document_number,
        invoices.order_id,
        invoice_contents.is_complete,
        {{ content_of(
            'invoices',
            [
                'invoice_number', 'type', 'reason', 'corrects_invoice_id', 'erp_customer_id',
                'invoice_date', 'due_date', 'currency', 'company',
            ],
            header_numbers
        ) }} || jsonb_build_object(
            'lines', invoice_contents.content,
            'is_cancelled', {{ is_called_off('invoices.status') }}
        ) as content,
        null::jsonb as addresses
    from {{ ref('invoices') }} as invoices
    inner join invoice_contents
        on
            invoices.source_system = invoice_contents.source_system
            and invoices.invoice_id = invoice_contents.invoice_id
    where {{ only_affected_of('invoice', ['invoices.source_system', 'invoices.invoice_id']) }}
),

hashed as (
    select
        *,
        encode(sha256(convert_to(content::text, 'UTF8')), 'hex') as content_hash
    from contents
)

select * from hashed
