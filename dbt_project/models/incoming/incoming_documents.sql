-- depends_on: {{ ref('incoming_orders') }} {{ ref('incoming_order_lines') }}
-- depends_on: {{ ref('incoming_invoices') }} {{ ref('incoming_invoice_lines') }}
-- depends_on: {{ ref('incoming_shipments') }} {{ ref('incoming_shipment_lines') }}
-- depends_on: {{ ref('incoming_returns') }} {{ ref('incoming_return_lines') }}
-- depends_on: {{ ref('incoming_quotes') }} {{ ref('incoming_quote_lines') }}
-- depends_on: {{ ref('incoming_sales_orders') }} {{ ref('incoming_sales_order_lines') }}
-- depends_on: {{ ref('incoming_opportunities') }} {{ ref('incoming_opportunity_lines') }}
with documents as (
    {%- for document in document_types() %}
    select * from (
        {{ documents_of(document) }}
    ) as {{ document.type }}_documents
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

tolerances as (
    select * from {{ ref('tolerances') }}
),

compared as (
    select
        documents.source_system,
        documents.document_type,
        documents.document_key,
        documents.header_is_present,
        documents.line_count,
        documents.header_net_amount,
        documents.lines_net_amount,
        documents.header_net_amount - documents.lines_net_amount as difference,
        abs(coalesce(documents.header_net_amount, documents.lines_net_amount)) as money_at_risk,
        documents.is_retry,
        documents.header_is_present and not documents.header_is_deleted as is_alive,
        documents.lines_are_expected,
        documents.is_line_elsewhere,
        greatest(
            tolerances.absolute * documents.line_count,
            tolerances.relative * abs(documents.header_net_amount)
        ) as tolerance
    from documents
    left join tolerances on tolerances.field = documents.document_type || '.net_amount'
),

judged as (
    select
        source_system,
        document_type,
        document_key,
        header_is_present,
        line_count,
        header_net_amount,
        lines_net_amount,
        difference,
        money_at_risk,
        is_retry,
        nullif(
            array_remove(
                array[
                    case when not header_is_present and line_count > 0 then 'header_is_present' end,
                    case
                        when is_alive and lines_are_expected and line_count = 0 then 'has_lines'
                    end,
                    case
                        when is_alive and abs(difference) > tolerance then 'lines_sum_to_header'
                    end,
                    case when is_line_elsewhere then 'key_is_of_one_line' end
                ],
                null
            ),
            '{}'
        ) as failed_rules
    from compared
)

select * from judged
