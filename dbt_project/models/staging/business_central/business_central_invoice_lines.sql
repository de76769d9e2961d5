{#- Lines of posted invoices, and of credit memos with their sign turned. -#}
with {{ business_central_lines(
    source('microsoft', 'business_central_sales_invoice'), 'salesInvoiceLines',
    ['orderId', 'orderNumber', 'status', 'pricesIncludeTax'],
    ['sequence', 'lineType', 'lineObjectNumber', 'description', 'unitOfMeasureCode', 'quantity',
     'unitPrice', 'discountPercent', 'netAmount', 'netTaxAmount', 'taxPercent'],
    'invoice_',
) }},

{{ business_central_lines(
    source('microsoft', 'business_central_sales_credit_memo'), 'salesCreditMemoLines',
    ['status', 'pricesIncludeTax'],
    ['sequence', 'lineType', 'lineObjectNumber', 'description', 'unitOfMeasureCode', 'quantity',
     'unitPrice', 'discountPercent', 'netAmount', 'netTaxAmount', 'taxPercent'],
    'memo_',
) }},

{{ business_central_order_numbers() }},

posted as (
    select
        invoice_lines.source_system,
        invoice_lines.kind,
        invoice_lines.batch_id,
        invoice_lines.raw_id * 2 as raw_id,
        invoice_lines.operation,
        invoice_lines.payload,
        invoice_lines.document_id,
        invoice_lines.last_modified_date_time,
        invoice_lines.line_id,
        invoice_lines.sequence,
        coalesce(
            {{ business_central_id('invoice_lines.document_order_id') }}, order_numbers.order_id
        ) as order_id,
        invoice_lines.line_object_number,
        invoice_lines.description,
        invoice_lines.unit_of_measure_code,
        invoice_lines.quantity,
        invoice_lines.unit_price,
        invoice_lines.discount_percent,
        invoice_lines.net_amount,
        invoice_lines.net_tax_amount,
        invoice_lines.tax_percent,
        invoice_lines.document_prices_include_tax
    from invoice_lines
    left join order_numbers
        on order_numbers.source_system = invoice_lines.source_system
            and order_numbers.company_id = invoice_lines.company_id
            and order_numbers.order_number = invoice_lines.document_order_number
    where (invoice_lines.document_status in ('Draft', 'In_x0020_Review')) is not true
    union all
    select
        source_system,
        kind,
        batch_id,
        raw_id * 2 + 1,
        operation,
        payload,
        document_id,
        last_modified_date_time,
        line_id,
        sequence,
        null,
        line_object_number,
        description,
        unit_of_measure_code,
        {{ scaled('quantity', -1) }},
        unit_price,
        discount_percent,
        {{ scaled('net_amount', -1) }},
        {{ scaled('net_tax_amount', -1) }},
        tax_percent,
        document_prices_include_tax
    from memo_lines
    where (document_status in ('Draft', 'In_x0020_Review')) is not true
),

final as (
    {{ canonical_row('invoice_lines', {
        'invoice_line_id': 'line_id',
        'invoice_id': 'lower(document_id)',
        'line_number': business_central_line_number('sequence'),
        'order_line_id': "order_id || '/' || sequence",
        'product_number': 'line_object_number',
        'description': 'description',
        'quantity': 'quantity',
        'unit': 'unit_of_measure_code',
        'unit_price': business_central_price(),
        'discount_pct': 'discount_percent',
        'net_amount': 'net_amount',
        'tax_amount': 'net_tax_amount',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'posted') }}
)

select * from final
