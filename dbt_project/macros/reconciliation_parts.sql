{#- Parts of the reconciliation's models that are the same for several sides, systems or causes. -#}

{#- The lines of the CRM's documents, by kind. -#}
{% macro lines_of_sales() -%}
{% for kind in crm_sale_kinds() -%}
{{ kind.type }}_lines as (
    select
        documents.pair_key,
        documents.source_system,
        documents.document_type,
        documents.document_id,
        documents.document_number,
        documents.place as document_place,
        documents.is_duplicate,
        documents.pair_cause,
        documents.own_minor_units,
        documents.minor_units,
        documents.factor,
        documents.is_other_currency,
        'crm' as side,
        lines.source_key as line_id,
        lines.line_number,
        lines.product_number,
        lines.quantity,
        {{ 'null::text' if kind.type == 'opportunity' else 'lines.unit' }} as unit,
        lines.unit_price,
        coalesce(lines.discount_pct, 0) as discount_pct,
        lines.net_amount,
        null::numeric as tax_amount
    from documents
    inner join {{ ref('stg_' ~ kind.lines) }} as lines
        on
            documents.source_system = lines.source_system
            and documents.document_id = lines.{{ kind.type }}_id
    where documents.document_type = '{{ kind.type }}' and not lines.is_deleted
),

{% endfor -%}
{%- endmacro %}

{#- Lines of sales have no parts. -#}
{% macro whole_lines_of_sales() -%}
{% for kind in crm_sale_kinds() -%}
    select
        *,
        0 as part_count
    from {{ kind.type }}_lines
    union all
    {% endfor -%}
{%- endmacro %}

{#- The lines of every pass that found a partner for them. -#}
{% macro matched_lines() -%}
matched_lines as (
    {% for pass in [
        'exactly_matched', 'matched_by_quantity', 'matched_by_product', 'matched_by_substitution',
    ] -%}
    select
        {{ line_columns(pass) }},
        match_key,
        match_method,
        is_pooled,
        null::numeric as part_quantity,
        null::bigint as kind_count
    from {{ pass }}
    where match_key is not null
    union all
    {% endfor -%}
    select * from matched_by_kit
    where match_key is not null
)
{%- endmacro %}

{#- Several lines of one side as one. -#}
{% macro pooled_lines() -%}
pooled_lines as (
    select
        matched_lines.pair_key,
        matched_lines.match_key,
        matched_lines.side,
        min(matched_lines.match_method) as match_method,
        {% for column in [
            'source_system', 'document_type', 'document_id', 'document_number', 'line_id',
            'line_number', 'product_number',
        ] -%}
        (array_agg(matched_lines.{{ column }} order by {{ line_order('matched_lines') }}))[1]
            as {{ column }},
        {% endfor -%}
        array_agg(matched_lines.line_id order by {{ line_order('matched_lines') }}) as line_ids,
        min(matched_lines.product_key) as product_key,
        case
            when min(parts_counted.kind_count) is not null
                then
                    case
                        when
                            min(parts_counted.kind_count) = min(parts_counted.kind_count_of_kit)
                            and min(parts_counted.least_quantity)
                            = min(parts_counted.most_quantity)
                            then min(parts_counted.least_quantity)
                    end
            when count(distinct matched_lines.unit) <= 1 then sum(matched_lines.quantity)
            when count(distinct matched_lines.base_unit) <= 1 then sum(matched_lines.base_quantity)
        end as quantity,
        case
            when min(parts_counted.kind_count) is not null then null
            when count(distinct matched_lines.unit) <= 1 then min(matched_lines.unit)
            when count(distinct matched_lines.base_unit) <= 1 then min(matched_lines.base_unit)
        end as unit,
        min(matched_lines.base_unit) as base_unit,
        case when count(distinct matched_lines.unit) <= 1 then min(matched_lines.unit_factor) else 1
        end as unit_factor,
        case
            when
                min(parts_counted.kind_count) is null
                and count(distinct matched_lines.unit_price) = 1
                and count(distinct matched_lines.unit) <= 1
                and count(distinct matched_lines.discount_pct) = 1
                then min(matched_lines.unit_price)
        end as unit_price,
        case
            when count(distinct matched_lines.discount_pct) = 1 then min(matched_lines.discount_pct)
            else 0
        end as discount_pct,
        sum(matched_lines.amount) as amount,
        sum(matched_lines.tax_amount) as tax_amount,
        case
            when count(matched_lines.exact_amount) = count(*) then sum(matched_lines.exact_amount)
        end as exact_amount,
        case
            when count(matched_lines.rounding_rule) = count(*) then min(matched_lines.rounding_rule)
        end as rounding_rule,
        sum(matched_lines.part_count) as part_count,
        min(matched_lines.minor_units) as minor_units,
        max(matched_lines.factor) as factor,
        bool_or(matched_lines.is_other_currency) as is_other_currency,
        min(matched_lines.pair_cause) as pair_cause,
        bool_or(matched_lines.is_duplicate) as is_duplicate
    from matched_lines
    left join parts_counted
        on
            matched_lines.pair_key = parts_counted.pair_key
            and matched_lines.match_key = parts_counted.match_key
            and matched_lines.side = parts_counted.side
    where matched_lines.is_pooled
    group by matched_lines.pair_key, matched_lines.match_key, matched_lines.side
)
{%- endmacro %}

{#- The columns of both sides, side by side. -#}
{% macro both_sides() -%}
{% for side in ['crm', 'erp'] -%}
        {% for column in [
            'source_system', 'document_type', 'document_id', 'document_number', 'line_id',
            'line_ids', 'line_number', 'product_number', 'product_key', 'quantity', 'unit',
            'base_unit', 'unit_factor', 'unit_price', 'discount_pct', 'rounding_rule', 'part_count',
            'pair_amount', 'pair_tax_amount', 'pair_exact_amount', 'pair_unit_price', 'multiplier',
        ] -%}
        {{ side }}_sides.{{ column }} as {{ side }}_{{ column }},
        {% endfor -%}
        {% endfor -%}
{%- endmacro %}

{#- What is published of both sides. -#}
{% macro published_sides() -%}
{% for side in ['crm', 'erp'] -%}
        named.{{ side }}_source_system,
        named.{{ side }}_document_type,
        named.{{ side }}_document_id,
        named.{{ side }}_document_number,
        named.{{ side }}_line_id,
        named.{{ side }}_line_ids,
        named.{{ side }}_line_number,
        named.{{ side }}_product_number,
        named.{{ side }}_product_key,
        named.{{ side }}_quantity::numeric(28, 8) as {{ side }}_quantity,
        named.{{ side }}_unit,
        named.{{ side }}_unit_price::numeric(28, 8) as {{ side }}_unit_price,
        named.{{ side }}_discount_pct::numeric(9, 4) as {{ side }}_discount_pct,
        named.{{ side }}_pair_amount::numeric(28, 4) as {{ side }}_net_amount,
        named.{{ side }}_pair_exact_amount::numeric(38, 8) as {{ side }}_exact_amount,
        named.{{ side }}_rounding_rule,
        {% endfor -%}
{%- endmacro %}

{#- The part of the difference that each cause explains. -#}
{% macro published_parts() -%}
{% for cause in line_causes() -%}
        named.{{ cause }}_difference::numeric(28, 4) as {{ cause }}_difference,
        {% endfor -%}
{%- endmacro %}

{#- What stands above is worked out once, not wherever it is used. -#}
{% macro fence() -%} offset 0 {%- endmacro %}

{#- The sums of the lines of sales whose header says no amount. -#}
{% macro sums_of_unpriced_sales() -%}
{% for kind in crm_sale_kinds() -%}
    select
        crm_sales.source_system,
        crm_sales.document_type,
        crm_sales.document_id,
        case when count(lines.net_amount) = count(*) then sum(lines.net_amount) end as net_amount
    from crm_sales
    inner join {{ ref('stg_' ~ kind.lines) }} as lines
        on
            crm_sales.source_system = lines.source_system
            and crm_sales.document_id = lines.{{ kind.type }}_id
    where
        crm_sales.net_amount is null
        and crm_sales.document_type = '{{ kind.type }}'
        and not lines.is_deleted
    group by crm_sales.source_system, crm_sales.document_type, crm_sales.document_id
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- What the documents hold, product by product. -#}
{% macro products_of_crowded_documents() -%}
{% for kind in crm_sale_kinds() + [{'type': 'order', 'lines': 'order_lines'}] -%}
    select
        crowded_documents.pair_key,
        crowded_documents.side,
        crowded_documents.place,
        lines.product_number,
        sum(lines.quantity) as quantity
    from crowded_documents
    inner join {{ ref('stg_' ~ kind.lines) }} as lines
        on
            crowded_documents.source_system = lines.source_system
            and crowded_documents.document_id = lines.{{ kind.type }}_id
    where crowded_documents.document_type = '{{ kind.type }}' and not lines.is_deleted
    group by
        crowded_documents.pair_key,
        crowded_documents.side,
        crowded_documents.place,
        lines.product_number
    {% if not loop.last %}union all
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- Every cause of a line with its amount and its words. -#}
{% macro causes_of_lines() -%}
cross join lateral (
        values
        {% for cause in line_causes() -%}
        ('{{ cause }}', lines.{{ cause }}_difference, {{ explained(cause) }}),
        {% endfor -%}
        (
            'missing_in_erp',
            case when lines.line_status = 'crm_only' then lines.difference_amount end,
            'The order has no line for it'
        ),
        (
            'missing_in_crm',
            case when lines.line_status = 'erp_only' then lines.difference_amount end,
            'The sale has no line for it'
        )
    ) as part (cause, amount, explanation)
{%- endmacro %}

{#- The first document of each side, and what all of them come to. -#}
{% macro sides_of_pairs() -%}
{% for side in ['crm', 'erp'] -%}
        {% for column in [
            'source_system', 'document_type', 'document_id', 'document_number', 'document_date',
            'created_at', 'status', 'currency',
        ] -%}
        max({{ column }}) filter (where side = '{{ side }}' and place = 1) as {{ side }}_{{ column }},
        {% endfor -%}
        count(*) filter (where side = '{{ side }}') as {{ side }}_document_count,
        count(*) filter (where side = '{{ side }}' and not is_cancelled) as {{ side }}_counted,
        array_agg(document_id order by place asc) filter (where side = '{{ side }}')
            as {{ side }}_document_ids,
        array_agg(document_number order by place asc) filter (where side = '{{ side }}')
            as {{ side }}_document_numbers,
        sum(converted_amount) filter (where side = '{{ side }}' and not is_cancelled)
            as {{ side }}_amount,
        {% endfor -%}
{%- endmacro %}

{#- Kits against the parts that the rules declare, among what no other pass has matched. -#}
{% macro matched_kits() -%}
kits as (
    select
        kit_numbers.product_key as kit_key,
        part_numbers.product_key as part_key,
        min(rules.quantity) as part_quantity,
        count(*) over (partition by kit_numbers.product_key) as kind_count
    from {{ ref('kit_parts') }} as rules
    inner join known_products as kit_numbers
        on
            {{ function('normalise_product_number') }}(rules.kit_product_number)
            = kit_numbers.product_number
            and kit_numbers.source_system = ''
    inner join known_products as part_numbers
        on
            {{ function('normalise_product_number') }}(rules.part_product_number)
            = part_numbers.product_number
            and part_numbers.source_system = ''
    group by kit_numbers.product_key, part_numbers.product_key
),

parts_matched as (
    select distinct on (parts.side, parts.source_system, parts.document_type, parts.line_id)
        parts.pair_key,
        parts.side,
        parts.source_system,
        parts.document_type,
        parts.line_id,
        whole_kits.side as kit_side,
        whole_kits.source_system as kit_source_system,
        whole_kits.document_type as kit_document_type,
        whole_kits.line_id as kit_line_id,
        kits.part_quantity,
        kits.kind_count,
        concat_ws('|', 'kit', whole_kits.source_system, whole_kits.line_id) as match_key
    from unmatched as whole_kits
    inner join kits on whole_kits.product_key = kits.kit_key
    inner join unmatched as parts
        on
            whole_kits.pair_key = parts.pair_key
            and whole_kits.side <> parts.side
            and kits.part_key = parts.product_key
    order by
        parts.side asc,
        parts.source_system asc,
        parts.document_type asc,
        parts.line_id asc,
        whole_kits.document_place asc,
        whole_kits.line_number asc nulls last,
        whole_kits.line_id asc
),

kits_matched as (
    select distinct
        kit_source_system,
        kit_document_type,
        kit_line_id,
        match_key
    from parts_matched
),

matched_by_kit as (
    select
        {{ line_columns('unmatched') }},
        coalesce(parts_matched.match_key, kits_matched.match_key) as match_key,
        case
            when coalesce(parts_matched.match_key, kits_matched.match_key) is not null then 'kit'
        end as match_method,
        coalesce(parts_matched.match_key, kits_matched.match_key) is not null as is_pooled,
        parts_matched.part_quantity,
        parts_matched.kind_count
    from unmatched
    left join parts_matched
        on
            unmatched.source_system = parts_matched.source_system
            and unmatched.document_type = parts_matched.document_type
            and unmatched.line_id = parts_matched.line_id
    left join kits_matched
        on
            unmatched.source_system = kits_matched.kit_source_system
            and unmatched.document_type = kits_matched.kit_document_type
            and unmatched.line_id = kits_matched.kit_line_id
)
{%- endmacro %}
