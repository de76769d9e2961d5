{{ config(tags=['integrity']) }}

-- Counts and open amounts of live staged invoices and of the mart, where they differ.
with

staged as (
    select
        source_system,
        currency,
        coalesce(type, 'invoice') as type,
        count(*) as invoice_count,
        sum(open_amount) as open_amount
    from {{ ref('stg_invoices') }}
    where not is_deleted
    group by source_system, currency, coalesce(type, 'invoice')
),

published as (
    select
        source_system,
        currency,
        type,
        count(*) as invoice_count,
        sum(open_amount) as open_amount
    from {{ ref('invoices') }}
    group by source_system, currency, type
),

differing as (
    (
        select * from staged
        except
        select * from published
    )
    union all
    (
        select * from published
        except
        select * from staged
    )
)

select * from differing
