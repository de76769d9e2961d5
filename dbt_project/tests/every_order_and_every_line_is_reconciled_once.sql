-- Orders of the mart against those in pairs, and lines of what counts against those in rows.
with

counted as (
    select
        'orders' as what,
        (select count(*) from {{ ref('orders') }}) as expected,
        (select sum(order_count) from {{ ref('order_reconciliation') }}) as found
    union all
    select
        'order lines' as what,
        (
            select count(*) from {{ ref('stg_order_lines') }} as lines
            inner join {{ ref('reconciliation_documents') }} as documents
                on
                    lines.source_system = documents.source_system
                    and lines.order_id = documents.document_id
            where documents.side = 'erp' and not documents.is_cancelled and not lines.is_deleted
        ) as expected,
        (
            select sum(coalesce(cardinality(erp_line_ids), 0) + erp_part_count)
            from {{ ref('order_line_reconciliation') }}
        ) as found
    {% for kind in crm_sale_kinds() %}
        union all
        select
            '{{ kind.lines }}' as what,
            (
                select count(*) from {{ ref('stg_' ~ kind.lines) }} as lines
                inner join {{ ref('reconciliation_documents') }} as documents
                    on
                        lines.source_system = documents.source_system
                        and lines.{{ kind.type }}_id = documents.document_id
                where
                    documents.document_type = '{{ kind.type }}'
                    and not documents.is_cancelled
                    and not lines.is_deleted
            ) as expected,
            (
                select sum(cardinality(crm_line_ids)) from {{ ref('order_line_reconciliation') }}
                where crm_document_type = '{{ kind.type }}'
            ) as found
    {% endfor %}
)

select * from counted
where expected <> coalesce(found, 0)
