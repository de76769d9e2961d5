{#- A line is named by its order and its number, which shipments and invoices keep; its own id is
    not known any more once it is posted. Lines of orders that only their invoices tell of are those
    of the invoices, each number once. -#}
with {{ business_central_lines(
    source('microsoft', 'business_central_sales_order'), 'salesOrderLines',
    ['pricesIncludeTax'],
    ['sequence', 'lineType', 'lineObjectNumber', 'description', 'unitOfMeasureCode', 'quantity',
     'unitPrice', 'discountPercent', 'netAmount', 'netTaxAmount', 'taxPercent'],
    'order_',
) }},

invoice_fields as (
    {{ business_central_documents(source('microsoft', 'business_central_sales_invoice'), [
        'orderId', 'status', 'pricesIncludeTax',
    ], objects=['salesInvoiceLines']) }}
),

{{ business_central_invoices_alone('order_received', 'invoice_fields') }},

invoiced_lines as (
    select
        invoices_alone.source_system,
        invoices_alone.kind,
        invoices_alone.batch_id,
        invoices_alone.raw_id * {{ business_central_places() }} + element.place as raw_id,
        invoices_alone.is_newest,
        element.line as payload,
        invoices_alone.known_order_id as order_id,
        invoices_alone.last_modified_date_time,
        invoices_alone.prices_include_tax as document_prices_include_tax,
        element.line ->> 'sequence' as sequence,
        nullif(element.line ->> 'lineObjectNumber', '') as line_object_number,
        nullif(element.line ->> 'description', '') as description,
        nullif(element.line ->> 'unitOfMeasureCode', '') as unit_of_measure_code,
        element.line ->> 'quantity' as quantity,
        element.line ->> 'unitPrice' as unit_price,
        element.line ->> 'discountPercent' as discount_percent,
        element.line ->> 'netAmount' as net_amount,
        element.line ->> 'netTaxAmount' as net_tax_amount,
        element.line ->> 'taxPercent' as tax_percent
    from invoices_alone
    cross join lateral json_array_elements(
        case
            when json_typeof(invoices_alone.sales_invoice_lines) = 'array'
                then invoices_alone.sales_invoice_lines
            else '[]'::json
        end
    ) with ordinality as element (line, place)
    where element.line ->> 'lineType' is distinct from 'Comment'
),

totalled_lines as (
    select
        invoiced_lines.*,
        sum(raw.to_number(quantity, '.')) filter (where is_newest)
            over of_line as whole_quantity,
        sum(raw.to_number(net_amount, '.')) filter (where is_newest)
            over of_line as whole_net_amount,
        sum(raw.to_number(net_tax_amount, '.')) filter (where is_newest)
            over of_line as whole_tax_amount
    from invoiced_lines
    window of_line as (partition by source_system, order_id, sequence)
),

lines as (
    select
        source_system,
        kind,
        batch_id,
        raw_id * 2 as raw_id,
        operation,
        payload,
        lower(document_id) as order_id,
        last_modified_date_time,
        document_prices_include_tax,
        sequence,
        line_object_number,
        description,
        unit_of_measure_code,
        quantity,
        unit_price,
        discount_percent,
        net_amount,
        net_tax_amount,
        tax_percent
    from order_lines
    union all
    select
        source_system,
        kind,
        batch_id,
        raw_id * 2 + 1,
        'upsert',
        payload,
        order_id,
        last_modified_date_time,
        document_prices_include_tax,
        sequence,
        line_object_number,
        description,
        unit_of_measure_code,
        whole_quantity::text,
        unit_price,
        discount_percent,
        whole_net_amount::text,
        whole_tax_amount::text,
        tax_percent
    from totalled_lines
),

final as (
    {{ canonical_row('order_lines', {
        'order_line_id': "order_id || '/' || sequence",
        'order_id': 'order_id',
        'line_number': business_central_line_number('sequence'),
        'product_number': 'line_object_number',
        'description': 'description',
        'quantity': 'quantity',
        'unit': 'unit_of_measure_code',
        'unit_price': business_central_price(),
        'discount_pct': 'discount_percent',
        'net_amount': 'net_amount',
        'tax_amount': 'net_tax_amount',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'lines') }}
)

select * from final
