with fields as (
    {{ vendor_fields(source('business_central', 'business_central_sales_order'), [
        'id', '_companyName', '_postedBy', 'number', 'customerId', 'orderDate',
        'requestedDeliveryDate', 'status', 'fullyShipped', 'currencyCode',
        'totalAmountExcludingTax', 'totalTaxAmount', 'totalAmountIncludingTax',
        'externalDocumentNumber', 'lastModifiedDateTime',
    ], objects=['salesOrderLines']) }}
),

orders as (
    select
        *,
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
        end as known_status
    from fields
),

final as (
    {{ canonical_row('orders', {
        'order_id': 'lower(id)',
        'order_number': 'number',
        'customer_id': business_central_id('customer_id'),
        'order_date': business_central_date('order_date'),
        'requested_date': business_central_date('requested_delivery_date'),
        'status': 'known_status',
        'currency': 'currency_code',
        'net_amount': 'total_amount_excluding_tax',
        'tax_amount': 'total_tax_amount',
        'gross_amount': 'total_amount_including_tax',
        'external_reference': 'external_document_number',
        'company': '_company_name',
        'modified_at': business_central_date('last_modified_date_time'),
    }, 'orders') }}
)

select * from final
