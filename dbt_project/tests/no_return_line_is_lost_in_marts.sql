{{ config(tags=['integrity']) }}

-- Counts and sums of live staged lines of live returns and of the mart, where they differ.
with

staged as (
    select
        lines.source_system,
        count(*) as line_count,
        sum(lines.net_amount) as net_amount,
        sum(lines.quantity) as quantity
    from {{ ref('stg_return_lines') }} as lines
    inner join {{ ref('stg_returns') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.return_id = headers.source_key
    where not lines.is_deleted and not headers.is_deleted
    group by lines.source_system
),

published as (
    select
        source_system,
        count(*) as line_count,
        sum(net_amount) as net_amount,
        sum(quantity) as quantity
    from {{ ref('return_lines') }}
    group by source_system
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
