{{ config(tags=['integrity']) }}

-- Lines whose rows in the ledger do not add up to their quantity, step by step and side by side.
with

documents as (
    {{ conserved_lines() }}
),

ledger as (
    select
        step,
        'from' as side,
        from_source_system as source_system,
        from_line_id as line_id,
        sum(quantity) as quantity,
        count(*) filter (where units_differ) as converted_count
    from {{ ref('quantity_flow') }}
    where from_line_id is not null
    group by step, from_source_system, from_line_id
    union all
    select
        step,
        case to_type when 'credit_line' then 'to credit' else 'to' end as side,
        to_source_system as source_system,
        to_line_id as line_id,
        sum(to_quantity) as quantity,
        count(*) filter (where units_differ) as converted_count
    from {{ ref('quantity_flow') }}
    where to_line_id is not null
    group by step, to_type, to_source_system, to_line_id
),

differing as (
    select
        coalesce(documents.step, ledger.step) as step,
        coalesce(documents.side, ledger.side) as side,
        coalesce(documents.source_system, ledger.source_system) as source_system,
        coalesce(documents.line_id, ledger.line_id) as line_id,
        documents.quantity as document_quantity,
        ledger.quantity as ledger_quantity
    from documents
    full join ledger
        on
            documents.step = ledger.step
            and documents.side = ledger.side
            and documents.source_system = ledger.source_system
            and documents.line_id = ledger.line_id
    where
        (
            documents.quantity is null
            or ledger.quantity is null
            -- Each conversion may round the last digit.
            or abs(documents.quantity - ledger.quantity)
            > 0.000001 * ledger.converted_count
        )
        -- What came back or was credited is only looked for where anything was.
        and not (
            documents.step in ('shipment_to_return', 'invoice_to_credit')
            and documents.side = 'from'
            and ledger.line_id is null
        )
        and not (
            documents.step in ('order_to_invoice', 'return_to_credit')
            and documents.side = 'to credit'
            and ledger.line_id is null
        )
)

select * from differing
