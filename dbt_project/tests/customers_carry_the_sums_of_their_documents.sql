{{ config(tags=['integrity']) }}

-- Lifetime and open amounts over all customers against the documents that name a customer.
with

carried as (
    select
        coalesce(sum(lifetime_net_amount_reporting), 0) as lifetime_amount,
        coalesce(sum(open_amount_reporting), 0) as open_amount
    from {{ ref('customers') }}
),

documents as (
    select
        (
            select coalesce(sum(net_amount_reporting), 0) from {{ ref('orders') }}
            where customer_id is not null and status is distinct from 'cancelled'
        ) as lifetime_amount,
        (
            select coalesce(sum(open_amount_reporting), 0) from {{ ref('invoices') }}
            where customer_id is not null
        ) as open_amount
),

differing as (
    select * from carried
    except
    select * from documents
)

select * from differing
