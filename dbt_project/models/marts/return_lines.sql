{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'return_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['source_system', 'return_id']}, {'columns': ['source_system', 'order_id']}],
        meta={'rows_of': 'stg_return_lines', 'touches': [{'kind': 'order_document', 'system': 'source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_document_lines('return') }}",
    )
}}

with

returns as (
    select * from {{ ref('returns') }}
    where {{ only_affected(['source_system', 'return_id']) }}
),

lines as (
    select * from {{ ref('stg_return_lines') }}
    where not is_deleted and {{ only_affected(['source_system', 'return_id']) }}
),

unified as (
    select
        lines.source_system,
        lines.return_line_id,
        lines.return_id,
        returns.return_number,
        returns.customer_id,
        coalesce(order_lines.order_id, returns.order_id) as order_id,
        lines.order_line_id,
        returns.return_date,
        lines.product_number,
        lines.quantity,
        lines.unit,
        returns.currency,
        lines.net_amount,
        returns.reporting_currency,
        {{ in_reporting_currency('lines.net_amount', 'returns.fx_rate') }}
            as net_amount_reporting
    from lines
    inner join returns
        on
            lines.source_system = returns.source_system
            and lines.return_id = returns.return_id
    left join {{ ref('order_lines') }} as order_lines
        on
            lines.source_system = order_lines.source_system
            and lines.order_line_id = order_lines.order_line_id
)

select * from unified
