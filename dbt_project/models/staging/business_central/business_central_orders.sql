{#- Orders that are open, or were when they were last seen; and orders that only their invoices tell
    of, because they were posted before anybody looked: these stand as they were invoiced. -#}
with fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_order'), [
        '_postedBy', 'number', 'customerId', 'orderDate', 'requestedDeliveryDate', 'status',
        'fullyShipped', 'currencyCode', '_localCurrency', 'totalAmountExcludingTax', 'totalTaxAmount',
        'totalAmountIncludingTax', 'externalDocumentNumber',
    ], objects=['salesOrderLines']) }}
),

invoice_fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_invoice'), [
        'orderId', 'orderNumber', 'customerId', 'invoiceDate', 'status', 'currencyCode',
        '_localCurrency', 'totalAmountExcludingTax', 'totalTaxAmount', 'totalAmountIncludingTax',
        'externalDocumentNumber',
    ]) }}
),

{{ business_central_invoices_alone('fields', 'invoice_fields') }},

invoiced_orders as (
    select
        invoices_alone.*,
        min(invoice_date) filter (where is_newest) over of_order as first_date,
        sum(raw.to_number(total_amount_excluding_tax, '.')) filter (where is_newest)
            over of_order as net_amount,
        sum(raw.to_number(total_tax_amount, '.')) filter (where is_newest)
            over of_order as tax_amount,
        sum(raw.to_number(total_amount_including_tax, '.')) filter (where is_newest)
            over of_order as gross_amount
    from invoices_alone
    window of_order as (partition by source_system, known_order_id)
),

orders as (
    select
        source_system,
        kind,
        batch_id,
        raw_id * 2 as raw_id,
        operation,
        payload,
        lower(id) as order_id,
        number,
        customer_id,
        order_date,
        requested_delivery_date,
        case
            when operation = 'delete' then null
            when _posted_by is not null then 'invoiced'
            when status in ('Draft', 'In_x0020_Review') then 'open'
            when fully_shipped = 'true' then 'shipped'
            when exists (
                select from json_array_elements(
                    case
                        when json_typeof(sales_order_lines) = 'array' then sales_order_lines
                        else '[]'::json
                    end
                ) as element (line)
                where raw.to_number(element.line ->> 'shippedQuantity', '.') > 0
            ) then 'partially_shipped'
            else 'released'
        end as known_status,
        coalesce(currency_code, _local_currency) as currency_code,
        total_amount_excluding_tax as net_amount,
        total_tax_amount as tax_amount,
        total_amount_including_tax as gross_amount,
        external_document_number,
        _company_name as company_name,
        false as is_rebuilt,
        last_modified_date_time
    from fields
    union all
    select
        source_system,
        kind,
        batch_id,
        raw_id * 2 + 1,
        operation,
        payload,
        known_order_id,
        order_number,
        customer_id,
        first_date,
        null,
        'invoiced',
        coalesce(currency_code, _local_currency) as currency_code,
        net_amount::text,
        tax_amount::text,
        gross_amount::text,
        external_document_number,
        _company_name,
        true,
        last_modified_date_time
    from invoiced_orders
),

final as (
    {{ canonical_row('orders', {
        'order_id': 'order_id',
        'order_number': 'number',
        'customer_id': business_central_id('customer_id'),
        'order_date': business_central_date('order_date'),
        'requested_date': business_central_date('requested_delivery_date'),
        'status': 'known_status',
        'currency': 'currency_code',
        'net_amount': 'net_amount',
        'tax_amount': 'tax_amount',
        'gross_amount': 'gross_amount',
        'external_reference': 'external_document_number',
        'company': 'company_name',
        'is_rebuilt': "case when operation = 'upsert' then is_rebuilt::text end",
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'orders') }}
)

select * from final
