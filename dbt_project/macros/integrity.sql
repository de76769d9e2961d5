{#- Raw against staging for one entity: the keys accepted and the money of their newest versions,
    counted from raw on their own path. Returns a row only when they differ. -#}
{% macro staging_equals_raw(entity, key, amount='null') -%}
with received as (
    select
        source_system,
        btrim({{ key }}) as source_key,
        {{ amount }}::numeric(20,4) as amount,
        row_number() over (
            partition by source_system, btrim({{ key }})
            order by modified_at::timestamptz desc nulls last, batch_id desc, raw_id desc
        ) as age
    from {{ source('raw', entity) }}
    where operation = 'upsert'
        and nullif(btrim({{ key }}), '') is not null
        and batch_id in (select batch_id from ops.batches where status in ('accepted', 'staged'))
        and {{ not_held(entity, 'raw.' ~ entity) }}
),

raw_totals as (
    select source_system, count(*) as row_count, sum(amount) as amount
    from received
    where age = 1
    group by source_system
),

staged_totals as (
    select source_system, count(*) as row_count, sum({{ amount }}::numeric) as amount
    from {{ ref('stg_' ~ entity) }}
    group by source_system
)

select
    source_system,
    raw_totals.row_count as raw_count,
    staged_totals.row_count as staged_count,
    raw_totals.amount as raw_amount,
    staged_totals.amount as staged_amount
from raw_totals
full join staged_totals using (source_system)
where raw_totals.row_count is distinct from staged_totals.row_count
    or coalesce(raw_totals.amount, 0) <> coalesce(staged_totals.amount, 0)
{%- endmacro %}

{#- Live staged lines of live documents against the mart's, by system: counts and sums, where they differ. -#}
{% macro lines_lost_in_marts(document) -%}
with

staged as (
    select
        lines.source_system,
        count(*) as line_count,
        sum(lines.net_amount) as net_amount,
        sum(lines.quantity) as quantity
    from {{ ref('stg_' ~ document ~ '_lines') }} as lines
    inner join {{ ref('stg_' ~ document ~ 's') }} as headers
        on
            lines.source_system = headers.source_system
            and lines.{{ document }}_id = headers.source_key
    where not lines.is_deleted and not headers.is_deleted
    group by lines.source_system
),

published as (
    select
        source_system,
        count(*) as line_count,
        sum(net_amount) as net_amount,
        sum(quantity) as quantity
    from {{ ref(document ~ '_lines') }}
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
{%- endmacro %}
