{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['source_system', 'case_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['customer_id']}],
        meta={'rows_of': 'stg_cases', 'touches': [{'kind': 'order_document', 'system': 'order_source_system', 'key': 'order_id'}]},
        pre_hook="{{ affected_complaints() }}",
    )
}}

with

complaints as (
    select * from {{ ref('stg_cases') }}
    where
        not is_deleted
        and type = 'complaint'
        and {{ only_affected(['source_system', 'source_key']) }}
),

known_complaints as (
    select
        complaints.*,
        crosswalk.customer_id
    from complaints
    left join {{ source('identity', 'customer_crosswalk') }} as crosswalk
        on
            complaints.source_system = crosswalk.source_system
            and complaints.account_id = crosswalk.source_key
            and crosswalk.entity = 'accounts'
            and crosswalk.is_current
),

order_candidates as (
    select
        known_complaints.source_system as case_source_system,
        known_complaints.source_key,
        known_complaints.customer_id as case_customer_id,
        1 as precedence,
        orders.*
    from known_complaints
    inner join {{ ref('orders') }} as orders on known_complaints.order_number = orders.order_number
    union all
    select
        known_complaints.source_system,
        known_complaints.source_key,
        known_complaints.customer_id,
        2 as precedence,
        orders.*
    from known_complaints
    inner join {{ ref('orders') }} as orders
        on
            known_complaints.order_number = orders.sales_order_number
            and known_complaints.source_system = orders.crm_source_system
),

-- Two systems may use the same number: the customer's own order comes first.
order_links as (
    select distinct on (case_source_system, source_key) *
    from order_candidates
    order by
        case_source_system asc,
        source_key asc,
        case_customer_id = customer_id desc nulls last,
        precedence,
        source_system asc,
        order_id asc
),

unified as (
    select
        known_complaints.source_system,
        known_complaints.case_id,
        known_complaints.case_number,
        coalesce(known_complaints.customer_id, order_links.customer_id) as customer_id,
        known_complaints.account_id,
        known_complaints.contact_id,
        known_complaints.order_number,
        order_links.source_system as order_source_system,
        order_links.order_id,
        known_complaints.product_number,
        known_complaints.reason,
        known_complaints.status,
        known_complaints.opened_at,
        known_complaints.closed_at,
        order_links.currency,
        order_links.net_amount as order_net_amount,
        order_links.reporting_currency,
        order_links.net_amount_reporting as order_net_amount_reporting
    from known_complaints
    left join order_links
        on
            known_complaints.source_system = order_links.case_source_system
            and known_complaints.source_key = order_links.source_key
)

select * from unified
