{#- The documents with a header and lines: what their tables and keys are called, and the header's
    amount that the lines must add up to (none where the header carries none). -#}
{% macro document_types() -%}
    {{ return([
        {'type': 'order', 'header': 'orders', 'lines': 'order_lines', 'key': 'order_id', 'amount': 'net_amount', 'line_amount': 'net_amount'},
        {'type': 'invoice', 'header': 'invoices', 'lines': 'invoice_lines', 'key': 'invoice_id', 'amount': 'net_amount', 'line_amount': 'net_amount'},
        {'type': 'shipment', 'header': 'shipments', 'lines': 'shipment_lines', 'key': 'shipment_id', 'amount': none, 'line_amount': none},
        {'type': 'return', 'header': 'returns', 'lines': 'return_lines', 'key': 'return_id', 'amount': none, 'line_amount': 'net_amount'},
        {'type': 'quote', 'header': 'quotes', 'lines': 'quote_lines', 'key': 'quote_id', 'amount': 'net_amount', 'line_amount': 'net_amount'},
        {'type': 'sales_order', 'header': 'sales_orders', 'lines': 'sales_order_lines', 'key': 'sales_order_id', 'amount': 'net_amount', 'line_amount': 'net_amount'},
        {'type': 'opportunity', 'header': 'opportunities', 'lines': 'opportunity_lines', 'key': 'opportunity_id', 'amount': 'amount', 'line_amount': 'net_amount'},
    ]) }}
{%- endmacro %}


{#- The rows of one table as they would be after staging, for the documents touched: what came in,
    unless a newer version is staged, and what is staged, unless a newer version came in. -#}
{% macro document_rows(table, key, amount) -%}
    {%- set incoming = ref('incoming_' ~ table) -%}
    {%- set staged = adapter.get_relation(this.database, 'staging', table) -%}
    {%- set amount = (amount or 'null') ~ '::numeric' -%}
    select
        landed.source_system,
        landed.document_key,
        landed.{{ amount }} as amount,
        landed.operation = 'delete' or landed.is_deleted is true as is_deleted
    from {{ incoming }} as landed
    where landed.is_newest and landed.document_key is not null
    {%- if staged %}
        and (
            (landed.operation = 'delete' and landed.modified_at is null)
            or not exists (
                select from {{ staged }} as staged
                where staged.source_system = landed.source_system
                    and staged.source_key = landed.source_key
                    and {{ is_newer('staged', 'landed') }}
            )
        )
    union all
    select
        staged.source_system,
        staged.{{ key }} as document_key,
        staged.{{ amount }} as amount,
        staged.is_deleted
    from {{ staged }} as staged
    inner join touched
        on staged.source_system = touched.source_system and staged.{{ key }} = touched.document_key
    where not exists (
        select from {{ incoming }} as landed
        where landed.source_system = staged.source_system
            and landed.source_key = staged.source_key
            and landed.is_newest
            and (
                (landed.operation = 'delete' and landed.modified_at is null)
                or not {{ is_newer('staged', 'landed') }}
            )
    )
    {%- endif -%}
{%- endmacro %}


{% macro documents_of(document) -%}
    with touched as (
        select
            source_system,
            document_key,
            bool_and(is_retry) as is_retry,
            bool_or(is_line_elsewhere) as is_line_elsewhere
        from (
            select source_system, document_key, is_retry, false as is_line_elsewhere
            from {{ ref('incoming_' ~ document.header) }}
            union all
            -- The newest row of the key is a line of another document.
            select
                source_system,
                document_key,
                is_retry,
                not is_newest and 'key_is_of_one_line' = any(failed_rules) as is_line_elsewhere
            from {{ ref('incoming_' ~ document.lines) }}
        ) as rows_of_documents
        where document_key is not null
        group by source_system, document_key
    ),

    headers as (
        {{ document_rows(document.header, document.key, document.amount) | replace('landed.null', 'null') | replace('staged.null', 'null') }}
    ),

    headers_once as (
        select source_system, document_key, max(amount) as amount, bool_and(is_deleted) as is_deleted
        from headers
        group by source_system, document_key
    ),

    lines as (
        {{ document_rows(document.lines, document.key, document.line_amount) | replace('landed.null', 'null') | replace('staged.null', 'null') }}
    ),

    sums as (
        select
            source_system,
            document_key,
            count(*) as line_count,
            sum(amount) as amount,
            count(amount) = count(*) as is_complete
        from lines
        where not is_deleted
        group by source_system, document_key
    )

    select
        touched.source_system,
        '{{ document.type }}'::text as document_type,
        touched.document_key,
        headers_once.document_key is not null as header_is_present,
        coalesce(headers_once.is_deleted, false) as header_is_deleted,
        coalesce(sums.line_count, 0) as line_count,
        headers_once.amount as header_net_amount,
        case when sums.is_complete then sums.amount end as lines_net_amount,
        touched.is_retry,
        touched.is_line_elsewhere,
        -- A system that never sent lines has documents without lines.
        {{ 'false' if document.type == 'opportunity' else "exists (
            select from ops.batches
            where connection = touched.source_system
                and ('" ~ document.lines ~ "' = any(entities) or object = '" ~ document.lines ~ "')
        )" }} as lines_are_expected
    from touched
    left join headers_once using (source_system, document_key)
    left join sums using (source_system, document_key)
{%- endmacro %}
