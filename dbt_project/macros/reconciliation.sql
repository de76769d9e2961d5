{#- The lines of each kind of document that can stand for a sale of the CRM. -#}
{% macro crm_sale_kinds() -%}
    {{ return([
        {
            'type': 'sales_order', 'headers': 'sales_orders', 'lines': 'sales_order_lines',
            'number': 'order_number', 'date': 'order_date', 'status': 'status',
            'amount': 'net_amount',
        },
        {
            'type': 'quote', 'headers': 'quotes', 'lines': 'quote_lines',
            'number': 'quote_number', 'date': 'quote_date', 'status': 'status',
            'amount': 'net_amount',
        },
        {
            'type': 'opportunity', 'headers': 'opportunities', 'lines': 'opportunity_lines',
            'number': 'name', 'date': 'close_date', 'status': 'stage',
            'amount': 'amount',
        },
    ]) }}
{%- endmacro %}

{#- A pair of commercial orders is named after the CRM's sale, else after the ERP's order. -#}
{% macro pair_key(system, type, id) -%}
    {{ system }} || '|' || {{ type }} || '|' || {{ id }}
{%- endmacro %}

{#- The causes into which the difference of a matched line is parted, each with a column of its own. -#}
{% macro line_causes() -%}
    {{ return([
        'quantity', 'unit', 'price', 'discount', 'substitution', 'currency', 'tax', 'rounding',
    ]) }}
{%- endmacro %}

{#- The cause of the largest part; of equal ones the one named first above. -#}
{% macro largest_cause(relation) -%}
    case greatest(
        {%- for cause in line_causes() %}
        abs({{ relation }}.{{ cause }}_difference){{ ',' if not loop.last }}
        {%- endfor %}
    )
        {%- for cause in line_causes() %}
        when abs({{ relation }}.{{ cause }}_difference) then '{{ cause }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- Half to the even neighbour; a half of the doubled unit is never a tie. -#}
{% macro half_even(amount, digits) -%}
    case
        when abs({{ amount }} - trunc({{ amount }}, {{ digits }})) * 2 * power(10::numeric, {{ digits }}) = 1
            then 2 * round({{ amount }} / 2, {{ digits }})
        else round({{ amount }}, {{ digits }})
    end
{%- endmacro %}

{#- By which rule the amount of a line follows from its quantity, price and discount; null by none.
    The order is that of how common the rules are: several may give the same amount. -#}
{% macro rounding_rule() -%}
    {%- set digits = 'own_minor_units' -%}
    {%- set rules = [
        ('half_up', 'round(exact_amount, ' ~ digits ~ ')'),
        ('half_even', half_even('exact_amount', digits)),
        ('not_rounded', 'round(exact_amount, 4)'),
        ('price_first',
            'round(round(unit_price * (1 - discount_pct / 100), ' ~ digits ~ ') * quantity, ' ~ digits ~ ')'),
        ('discount_first',
            'round(quantity * unit_price, ' ~ digits ~ ')'
            ~ ' - round(quantity * unit_price * discount_pct / 100, ' ~ digits ~ ')'),
        ('cut_off', 'trunc(exact_amount, ' ~ digits ~ ')'),
    ] -%}
    case coalesce(net_amount, round(exact_amount, {{ digits }}))
        {%- for name, rounded in rules %}
        when {{ rounded }} then '{{ name }}'
        {%- endfor %}
    end
{%- endmacro %}

{% macro line_order(lines) -%}
    {{ lines }}.document_place, {{ lines }}.line_number nulls last, {{ lines }}.line_id
{%- endmacro %}

{#- What a line carries through the matching. -#}
{% macro line_columns(lines) -%}
    {%- for column in [
        'pair_key', 'side', 'source_system', 'document_type', 'document_id', 'document_number',
        'document_place', 'is_duplicate', 'pair_cause', 'minor_units', 'factor',
        'is_other_currency', 'line_id', 'line_number', 'product_number', 'product_key',
        'substitution_key', 'quantity', 'unit', 'base_unit', 'unit_factor', 'base_quantity',
        'unit_price', 'discount_pct', 'amount', 'exact_amount', 'tax_amount', 'rounding_rule',
        'part_count',
    ] -%}
        {{ lines }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- A single line as a side of a match, in the columns of several lines together. -#}
{% macro side_columns(match_key, match_method) -%}
    pair_key, {{ match_key }} as match_key, side, {{ match_method }} as match_method, source_system,
    document_type, document_id, document_number, line_id, line_number, product_number,
    array[line_id] as line_ids, product_key, quantity, unit, base_unit, unit_factor, unit_price,
    discount_pct, amount, tax_amount, exact_amount, rounding_rule, part_count, minor_units, factor,
    is_other_currency, pair_cause, is_duplicate
{%- endmacro %}

{#- One pass of matching over the lines that no pass before has matched: lines that agree in the
    columns, the first of one side with the first of the other. Where `pools`, sides with another
    number of lines stand together, so that a line that was split is still one. -#}
{% macro matching_pass(name, lines, method, columns, pools=false) -%}
{{ name }} as (
    select
        {{ line_columns('ranked') }},
        {{ 'crm_count <> erp_count' if pools else 'false' }} as is_pooled,
        case when {{ columns[0] }} is not null and crm_count > 0 and erp_count > 0
            {%- if not pools %} and match_place <= least(crm_count, erp_count){% endif %}
            then '{{ method }}' end as match_method,
        case when {{ columns[0] }} is not null and crm_count > 0 and erp_count > 0
            {%- if not pools %} and match_place <= least(crm_count, erp_count){% endif %}
            then concat_ws(
                '|', '{{ name }}',
                {%- for column in columns %} coalesce({{ column }}::text, '-'),{% endfor %}
                {{ 'case when crm_count = erp_count then match_place else 0 end' if pools else 'match_place' }}
            ) end as match_key
    from (
        select
            lines.*,
            row_number() over (
                partition by lines.pair_key, lines.{{ columns | join(', lines.') }}, lines.side
                order by {{ line_order('lines') }}
            ) as match_place,
            count(*) filter (where lines.side = 'crm') over same as crm_count,
            count(*) filter (where lines.side = 'erp') over same as erp_count
        from {{ lines }} as lines
        {%- if lines != 'lines_to_match' %}
        where lines.match_key is null
        {%- endif %}
        window same as (partition by lines.pair_key, lines.{{ columns | join(', lines.') }})
    ) as ranked
)
{%- endmacro %}

{#- Pairs to compare again: those whose documents or lines changed, or whose products did. -#}
{% macro affected_pairs() %}
    {{- affected_keys([
        "select key as pair_key from " ~ touched_keys('documents_of_pair') ~ " as touched",
        pairs_of_changed_products('crm'),
        pairs_of_changed_products('erp'),
    ]) -}}
{% endmacro %}

{#- Once any product changed: pairs with a line that is another product now, or that was matched by
    more than its product or not at all. -#}
{% macro pairs_of_changed_products(side) -%}
    {%- set products = ref('reconciliation_products') -%}
    {%- set normalise = function('normalise_product_number') -%}
    {%- set has_changed = "(exists (select from " ~ marts_changed(ref('stg_products')) ~ " as changed)"
        ~ " or exists (select from " ~ marts_changed(source('identity', 'product_crosswalk')) ~ " as changed))" -%}
    select line.pair_key from {{ this }} as line
    inner join (
        select written.* from (
            select distinct
                {{ side }}_source_system as source_system,
                {{ side }}_product_number as product_number,
                {{ side }}_product_key as product_key
            from {{ this }}
        ) as written
        left join {{ products }} as own_numbers
            on
                {{ normalise }}(written.product_number) = own_numbers.product_number
                and written.source_system = own_numbers.source_system
        left join {{ products }} as any_numbers
            on
                {{ normalise }}(written.product_number) = any_numbers.product_number
                and any_numbers.source_system = ''
        where coalesce(
            own_numbers.product_key,
            any_numbers.product_key,
            'number|' || {{ normalise }}(written.product_number),
            '-'
        ) is distinct from written.product_key
    ) as other
        on
            line.{{ side }}_source_system = other.source_system
            and line.{{ side }}_product_number is not distinct from other.product_number
    where (select {{ has_changed }})
    union all
    select line.pair_key from {{ this }} as line
    inner join {{ ref('reconciliation_documents') }} as documents on line.pair_key = documents.pair_key
    where (select {{ has_changed }})
        and documents.pair_cause is null
        and line.match_method is distinct from 'product'
{%- endmacro %}

{#- Marts of pairs follow the lines, and the documents where there are none. -#}
{% macro affected_by_pairs() %}
    {{- affected_keys([
        "select key as pair_key from " ~ touched_keys('pair') ~ " as touched",
        "select key as pair_key from " ~ touched_keys('documents_of_pair') ~ " as touched",
    ]) -}}
{% endmacro %}

{#- Why a line differs by a cause, in words and in both sides' own numbers. -#}
{% macro explained(cause) -%}
    {%- if cause == 'quantity' -%}
        'CRM ' || {{ shown('crm_quantity') }} || coalesce(' ' || lines.crm_unit, '')
        || ', ERP ' || {{ shown('erp_quantity') }} || coalesce(' ' || lines.erp_unit, '')
    {%- elif cause == 'unit' -%}
        'CRM in ' || coalesce(lines.crm_unit, 'no unit') || ', ERP in ' || coalesce(lines.erp_unit, 'no unit')
    {%- elif cause in ['price', 'currency'] -%}
        'CRM ' || {{ shown('crm_unit_price') }} || ', ERP ' || {{ shown('erp_unit_price') }}
    {%- elif cause == 'discount' -%}
        'CRM ' || {{ shown('crm_discount_pct') }} || ' %, ERP ' || {{ shown('erp_discount_pct') }} || ' %'
    {%- elif cause == 'substitution' -%}
        'CRM ' || coalesce(lines.crm_product_number, '?') || ', ERP ' || coalesce(lines.erp_product_number, '?')
    {%- elif cause == 'tax' -%}
        'The amount of the CRM includes the tax'
    {%- else -%}
        'CRM ' || coalesce(lines.crm_rounding_rule, 'by no known rule')
        || ', ERP ' || coalesce(lines.erp_rounding_rule, 'by no known rule')
    {%- endif -%}
{%- endmacro %}

{% macro shown(column) -%}
    coalesce(trim_scale(lines.{{ column }})::text, 'not said')
{%- endmacro %}

{#- How far apart the dates of a sale and an order may be to be proposed as one. -#}
{% macro proposal_days() -%} 31 {%- endmacro %}

{% macro best_proposal_first() -%}
    has_same_amount and has_same_products desc, has_same_amount desc, days_apart asc
{%- endmacro %}

{#- The order in which a waterfall shows its causes: what is missing first, cents last. -#}
{% macro waterfall_order(step) -%}
    array_position(
        array[
            'timing', 'missing_in_erp', 'missing_in_crm', 'cancelled', 'duplicate', 'quantity', 'unit',
            'price', 'discount', 'substitution', 'currency', 'tax', 'header_only', 'rounding'
        ],
        {{ step }}
    )
{%- endmacro %}
