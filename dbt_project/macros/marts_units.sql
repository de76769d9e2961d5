{#
    Quantities of two documents in one unit, by the conversions that are declared in the seed
    `unit_conversions`, for all products or for the lines that carry a product's number. A line has
    a base unit, and a factor where its own unit is another; its measure is what it holds of the
    base unit. Where two lines have different base units their numbers are taken as they are.
#}

{#- The declared conversions, to be joined by `join_unit_rules`. -#}
{% macro unit_rules() -%}
unit_rules as materialized (
    select
        unit,
        max(base_unit) filter (where product_number is null) as base_unit,
        nullif(max(factor) filter (where product_number is null), 1) as factor,
        bool_or(product_number is not null) as has_products
    from {{ ref('unit_conversions') }}
    group by unit
),

product_unit_rules as materialized (
    select distinct on (product_key, unit)
        {{ product_key('rules.product_number') }} as product_key,
        rules.unit,
        coalesce(bases.base_unit, rules.base_unit) as base_unit,
        rules.factor * coalesce(bases.factor, 1) as factor
    from {{ ref('unit_conversions') }} as rules
    left join unit_rules as bases on rules.base_unit = bases.unit
    where rules.product_number is not null
    order by product_key asc, rules.unit asc, rules.base_unit asc
)
{%- endmacro %}

{#- Find the rule of each line; a product's number is only looked at where its unit has such rules. -#}
{% macro join_unit_rules(lines) -%}
    left join unit_rules on upper(btrim({{ lines }}.unit)) = unit_rules.unit
    left join product_unit_rules
        on
            case
                when unit_rules.has_products then {{ product_key(lines ~ '.product_number') }}
            end = product_unit_rules.product_key
            and unit_rules.unit = product_unit_rules.unit
{%- endmacro %}

{#- What a line is measured in; null where it names no unit. -#}
{% macro base_unit(lines) -%}
    coalesce(
        product_unit_rules.base_unit, unit_rules.base_unit, upper(btrim({{ lines }}.unit))
    )
{%- endmacro %}

{#- How many base units its unit is; null is one, so that most quantities are not computed with. -#}
{% macro unit_factor() -%}
    coalesce(product_unit_rules.factor, unit_rules.factor)
{%- endmacro %}

{#- The factor of a line beside another one: where they cannot be compared it counts as of its unit. -#}
{% macro factor_beside(base_unit, factor, other_base_unit, other_factor) -%}
    case
        when {{ base_unit }} is not distinct from {{ other_base_unit }} then {{ factor }}
        else {{ other_factor }}
    end
{%- endmacro %}

{% macro in_base_unit(quantity, factor) -%}
    case when {{ factor }} is null then {{ quantity }} else round({{ quantity }} * {{ factor }}, 10) end
{%- endmacro %}

{% macro in_own_unit(measure, factor) -%}
    case when {{ factor }} is null then {{ measure }} else round({{ measure }} / {{ factor }}, 6) end
{%- endmacro %}

{#- What lines that name an order line come to, in the unit of that line. -#}
{% macro sum_in_unit_of_order(lines, where='true') -%}
    {%- set factor = factor_beside(
        base_unit(lines), unit_factor(), 'order_lines.base_unit', 'order_lines.unit_factor'
    ) -%}
    {%- set measure = in_base_unit(lines ~ '.quantity', '(' ~ factor ~ ')') -%}
    {{ in_own_unit(
        'sum(' ~ measure ~ ') filter (where ' ~ where ~ ')', 'min(order_lines.unit_factor)'
    ) }}
{%- endmacro %}
