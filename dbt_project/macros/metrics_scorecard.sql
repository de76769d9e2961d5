{#-
    The metrics of the semantic layer as plain SQL. What a metric is stands in the yml of the marts,
    once; MetricFlow reads it there, and so does this. A test holds the two to the same numbers.
-#}

{#- All metrics by name, those of one type when asked for. -#}
{% macro metrics_of_type(type=none) %}
    {%- set found = [] -%}
    {%- for metric in graph.metrics.values() | sort(attribute='name') -%}
        {%- if type is none or metric.type | string == type -%}
            {%- do found.append(metric) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}

{#- The column of the model behind a time dimension, which may have another name. -#}
{% macro metric_time_column(model, dimension) %}
    {%- for semantic_model in graph.semantic_models.values() if semantic_model.name == model -%}
        {%- for found in semantic_model.dimensions if found.name == dimension -%}
            {{- return(found.expr or found.name) -}}
        {%- endfor -%}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error('No time dimension ' ~ dimension ~ ' in ' ~ model) -}}
{% endmacro %}

{#- Simple metrics by model and time column: each group is one scan. -#}
{% macro metric_groups() %}
    {%- set groups = {} -%}
    {%- for metric in metrics_of_type('simple') -%}
        {%- set params = metric.type_params.metric_aggregation_params -%}
        {%- set column = metric_time_column(params.semantic_model, params.agg_time_dimension) -%}
        {%- do groups.setdefault((params.semantic_model, column), []).append(metric) -%}
    {%- endfor -%}
    {{- return(groups) -}}
{% endmacro %}

{% macro metric_aggregate(metric) -%}
    {%- set params = metric.type_params.metric_aggregation_params -%}
    {%- set expr = metric.type_params.expr -%}
    {%- set agg = params.agg | string -%}
    {%- if agg in ['sum', 'max'] -%} {{ agg }}({{ expr }})
    {%- elif agg == 'count_distinct' -%} count(distinct {{ expr }})
    {%- elif agg == 'median' -%} percentile_cont(0.5) within group (order by ({{ expr }})::float8)
    {%- elif agg == 'percentile' -%}
        percentile_cont({{ params.agg_params.percentile }}) within group (order by ({{ expr }})::float8)
    {%- else -%}
        {{- exceptions.raise_compiler_error(metric.name ~ ': the scorecard knows no ' ~ agg) -}}
    {%- endif -%}
{%- endmacro %}

{% macro metric_meta(metric, key, default='null') -%}
    {%- set value = metric.config.meta.get(key) -%}
    {%- if value is none -%} {{ default }}
    {%- elif value is string -%} '{{ value | replace("'", "''") }}'
    {%- else -%} {{ value }}
    {%- endif -%}
{%- endmacro %}

{#- One row per month and simple metric. -#}
{% macro simple_metric_values() %}
    {%- for (model, column), metrics in metric_groups().items() %}
    select
        grouped.month,
        listed.metric,
        listed.value,
        listed.unknown_count
    from (
        select
            date_trunc('month', {{ column }}::timestamp)::date as month
            {%- for metric in metrics %},
            {{ metric_aggregate(metric) }} as {{ metric.name }}
            {%- if metric.config.meta.get('unknown_when') %},
            count(*) filter (where {{ metric.config.meta.unknown_when }}) as {{ metric.name }}_unknown
            {%- endif %}
            {%- endfor %}
        from {{ ref(model) }}
        where {{ column }} is not null
        group by 1
    ) as grouped
    cross join lateral (
        values
        {%- for metric in metrics %}
        (
            '{{ metric.name }}',
            grouped.{{ metric.name }}::numeric,
            {{ 'grouped.' ~ metric.name ~ '_unknown' if metric.config.meta.get('unknown_when') else '0' }}
        )
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    ) as listed (metric, value, unknown_count)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{#- One row per metric, with what people have to know of it. -#}
{% macro metric_descriptions() %}
    values
    {%- for metric in metrics_of_type() %}
    {%- set params = metric.type_params.metric_aggregation_params %}
    (
        '{{ metric.name }}',
        '{{ metric.type }}',
        '{{ metric.label | replace("'", "''") }}',
        {{ metric_meta(metric, 'unit') }},
        {{ metric_meta(metric, 'owner') }},
        {{ metric_meta(metric, 'basis') }},
        {{ metric_meta(metric, 'interval') }}::text,
        {{ metric_meta(metric, 'scale', '1') }},
        {{ metric_meta(metric, 'maturity_days') }}::integer,
        {{ "'" ~ params.semantic_model ~ "'" if params else 'null' }},
        {{ "'{" ~ metric.config.meta.get('requires', []) | join(',') ~ "}'" }}::text[],
        {%- if metric.type | string == 'ratio' %}
        '{{ metric.type_params.numerator.name }}',
        '{{ metric.type_params.denominator.name }}'
        {%- else %}
        {{ metric_meta(metric, 'counted') }}::text,
        {{ metric_meta(metric, 'counts') }}::text
        {%- endif %}
    )
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{% endmacro %}

{#- One row per month and metric that is computed from others. -#}
{% macro derived_metric_values(known) %}
    {%- for metric in metrics_of_type('derived') %}
    select
        month,
        '{{ metric.name }}' as metric,
        ({{ metric.type_params.expr }})::numeric as value
    from (
        select
            month
            {%- for part in metric.type_params.metrics %},
            max(value) filter (where metric = '{{ part.name }}') as {{ part.alias or part.name }}
            {%- endfor %}
        from {{ known }}
        group by month
    ) as parts
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{#- Which of the entities, and of the rule files (metric_...), that metrics need have rows. -#}
{% macro landed_entities() %}
    {%- set needed = [] -%}
    {%- for metric in metrics_of_type() -%}
        {%- do needed.extend(metric.config.meta.get('requires', [])) -%}
    {%- endfor -%}
    {%- for entity in needed | unique | sort %}
    {%- set relation = entity if entity.startswith('metric_') else 'stg_' ~ entity %}
    select '{{ entity }}' as entity, exists (select from {{ ref(relation) }}) as is_landed
    {%- if not loop.last %} union all {%- endif %}
    {%- endfor %}
{% endmacro %}

{#- Wilson's interval of a share, and Byar's of a count: both hold for small numbers. -#}
{% macro wilson_bound(side) -%}
    {%- set sign = '-' if side == 'lower' else '+' -%}
    {%- set z = 'confidence.z' -%}
    (
        numerator / denominator + {{ z }} ^ 2 / (2 * denominator) {{ sign }} {{ z }} * sqrt(
            greatest(
                numerator / denominator * (1 - numerator / denominator) / denominator
                + {{ z }} ^ 2 / (4 * denominator ^ 2), 0
            )
        )
    ) / (1 + {{ z }} ^ 2 / denominator)
{%- endmacro %}

{% macro poisson_bound(side) -%}
    {%- set z = 'confidence.z' -%}
    {%- if side == 'lower' -%}
    case
        when numerator = 0 then 0
        else scale * numerator
            * (1 - 1 / (9 * numerator) - {{ z }} / (3 * sqrt(numerator))) ^ 3 / denominator
    end
    {%- else -%}
    scale * (numerator + 1)
        * (1 - 1 / (9 * (numerator + 1)) + {{ z }} / (3 * sqrt(numerator + 1))) ^ 3 / denominator
    {%- endif -%}
{%- endmacro %}

{% macro scorecard() %}
{%- do ref('sync_latencies') -%}
{%- if execute -%}
with

simple_values as (
    {{ simple_metric_values() }}
),

months as (
    select month::date as month
    from generate_series(
        (select min(month)::timestamp from simple_values),
        (select max(month) from simple_values),
        '1 month'
    ) as month
),

described (
    metric, type, label, unit, owner, basis, interval, scale, maturity_days, model, requires,
    numerator_metric, denominator_metric
) as (
    {{ metric_descriptions() }}
),

grid as (
    select months.month, described.*
    from described
    cross join months
),

ratio_values as (
    select
        grid.month,
        grid.metric,
        above.value / nullif(below.value, 0) as value
    from grid
    left join simple_values as above
        on grid.numerator_metric = above.metric and grid.month = above.month
    left join simple_values as below
        on grid.denominator_metric = below.metric and grid.month = below.month
    where grid.type = 'ratio'
),

known_values as (
    select month, metric, value from simple_values
    union all
    select month, metric, value from ratio_values
),

all_values as (
    select * from known_values
    union all
    {{ derived_metric_values('known_values') }}
),

landed as (
    {{ landed_entities() }}
),

missing as (
    select
        described.metric,
        string_agg(
            case
                when landed.entity like 'metric%' then 'any row of ' || landed.entity || '.csv'
                else landed.entity
            end,
            ', ' order by landed.entity
        ) as entities
    from described
    inner join landed on landed.entity = any(described.requires)
    where not landed.is_landed
    group by described.metric
),

placed as (
    select
        grid.*,
        all_values.value,
        case when grid.type = 'simple' then all_values.value else above.value end as numerator,
        below.value as denominator,
        coalesce(above.unknown_count, 0) + coalesce(below.unknown_count, 0)
            + coalesce(own.unknown_count, 0) as unknown_count,
        missing.entities as missing_entities
    from grid
    left join all_values on grid.metric = all_values.metric and grid.month = all_values.month
    left join simple_values as own on grid.metric = own.metric and grid.month = own.month
    left join simple_values as above
        on grid.numerator_metric = above.metric and grid.month = above.month
    left join simple_values as below
        on grid.denominator_metric = below.metric and grid.month = below.month
    left join missing on grid.metric = missing.metric
),

confidence as (
    select {{ metric_setting('confidence_z') }} as z
),

bounded as (
    select
        placed.*,
        case
            when value is null or denominator is null or denominator <= 0 then null
            when interval = 'wilson' then {{ wilson_bound('lower') }}
            when interval = 'poisson' then {{ poisson_bound('lower') }}
        end as lower_bound,
        case
            when value is null or denominator is null or denominator <= 0 then null
            when interval = 'wilson' then {{ wilson_bound('upper') }}
            when interval = 'poisson' then {{ poisson_bound('upper') }}
        end as upper_bound
    from placed
    cross join confidence
),

computed as (
    select
        metric,
        month,
        label,
        type,
        unit,
        owner,
        basis,
        value,
        numerator,
        denominator,
        lower_bound,
        upper_bound,
        unknown_count,
        maturity_days,
        case
            when value is not null then null
            when missing_entities is not null then 'not landed: ' || missing_entities
            when type = 'ratio' and coalesce(denominator, 0) = 0
                then 'nothing to divide by in this month: ' || denominator_metric
            when type = 'derived' then 'a part of it is not known in this month'
            else 'nothing of it is known in this month' || coalesce('; see ' || model, '')
        end as reason
    from bounded
    union all
    select
        unavailable.metric,
        months.month,
        unavailable.name,
        'unavailable',
        unavailable.unit,
        unavailable.owner,
        null,
        null,
        null,
        null,
        null,
        null,
        0,
        null,
        unavailable.reason
    from {{ ref('metric_unavailable') }} as unavailable
    cross join months
),

final as (
    select
        metric,
        month,
        label,
        type,
        unit,
        owner,
        basis,
        round(value, 10) as value,
        round(numerator, 6) as numerator,
        round(denominator, 6) as denominator,
        round(lower_bound, 6) as lower_bound,
        round(upper_bound, 6) as upper_bound,
        unknown_count::bigint as unknown_count,
        maturity_days,
        -- Depends on today, so the published view computes it.
        null::boolean as is_immature,
        reason
    from computed
)

select * from final
{%- else -%}
select 1 as metric
{%- endif -%}
{% endmacro %}
