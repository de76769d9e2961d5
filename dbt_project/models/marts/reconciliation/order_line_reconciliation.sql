{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['pair_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}, {'columns': ['crm_line_id']}],
        meta={'touches': [{'kind': 'pair', 'key': 'pair_key'}]},
        pre_hook=[
            'set local enable_nestloop = off',
            "set local work_mem = '256MB'",
            "{{ affected_pairs() }}",
        ],
    )
}}

with

documents as (
    select * from {{ ref('reconciliation_documents') }}
    where not is_cancelled and {{ only_affected(['pair_key']) }}
),

known_products as (
    select * from {{ ref('reconciliation_products') }}
),

{% for type, lines in crm_line_tables() -%}
{{ type }}_lines as (
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
        {{ 'null::text' if type == 'opportunity' else 'lines.unit' }} as unit,
        lines.unit_price,
        coalesce(lines.discount_pct, 0) as discount_pct,
        lines.net_amount,
        null::numeric as tax_amount
    from documents
    inner join {{ ref('stg_' ~ lines) }} as lines
        on
            documents.source_system = lines.source_system
            and documents.document_id = lines.{{ type }}_id
    where documents.document_type = '{{ type }}' and not lines.is_deleted
),

{% endfor -%}

order_lines as (
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
        'erp' as side,
        lines.source_key as line_id,
        lines.line_number,
        lines.product_number,
        lines.quantity,
        lines.unit,
        lines.unit_price,
        coalesce(lines.discount_pct, 0) as discount_pct,
        lines.net_amount,
        lines.tax_amount,
        lines.kit_parent_line_id
    from documents
    inner join {{ ref('stg_order_lines') }} as lines
        on
            documents.source_system = lines.source_system
            and documents.document_id = lines.order_id
    where documents.document_type = 'order' and not lines.is_deleted
),

parts_of_kits as (
    select * from order_lines
    where kit_parent_line_id is not null
),

-- Parts go into the line of their kit; a kit within a kit goes into the outer one.
kit_roots as (
    select
        parts_of_kits.source_system,
        parts_of_kits.line_id,
        parts_of_kits.net_amount,
        parts_of_kits.tax_amount,
        coalesce(outer_kits.line_id, kits.line_id) as root_id
    from parts_of_kits
    inner join order_lines as kits
        on
            parts_of_kits.source_system = kits.source_system
            and parts_of_kits.document_id = kits.document_id
            and parts_of_kits.kit_parent_line_id = kits.line_id
            and parts_of_kits.line_id <> kits.line_id
    left join order_lines as outer_kits
        on
            kits.source_system = outer_kits.source_system
            and kits.document_id = outer_kits.document_id
            and kits.kit_parent_line_id = outer_kits.line_id
            and outer_kits.kit_parent_line_id is null
),

kit_amounts as (
    select
        source_system,
        root_id,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount,
        count(*) as part_count
    from kit_roots
    group by source_system, root_id
),

whole_lines as (
    {% for lines in crm_line_tables() -%}
    select
        *,
        0 as part_count
    from {{ lines[0] }}_lines
    union all
    {% endfor -%}
    select
        order_lines.pair_key,
        order_lines.source_system,
        order_lines.document_type,
        order_lines.document_id,
        order_lines.document_number,
        order_lines.document_place,
        order_lines.is_duplicate,
        order_lines.pair_cause,
        order_lines.own_minor_units,
        order_lines.minor_units,
        order_lines.factor,
        order_lines.is_other_currency,
        order_lines.side,
        order_lines.line_id,
        order_lines.line_number,
        order_lines.product_number,
        order_lines.quantity,
        order_lines.unit,
        -- The price of a kit whose parts carry amounts is what all of it comes to.
        case when coalesce(kit_amounts.net_amount, 0) = 0 then order_lines.unit_price end
            as unit_price,
        order_lines.discount_pct,
        order_lines.net_amount + coalesce(kit_amounts.net_amount, 0) as net_amount,
        order_lines.tax_amount + coalesce(kit_amounts.tax_amount, 0) as tax_amount,
        coalesce(kit_amounts.part_count, 0) as part_count
    from order_lines
    left join kit_roots
        on
            order_lines.source_system = kit_roots.source_system
            and order_lines.line_id = kit_roots.line_id
    left join kit_amounts
        on
            order_lines.source_system = kit_amounts.source_system
            and order_lines.line_id = kit_amounts.root_id
    where kit_roots.line_id is null
),

written_numbers as (
    select
        source_system,
        product_number,
        {{ function('normalise_product_number') }}(product_number) as normalised_number
    from (
        select distinct
            source_system,
            product_number
        from whole_lines
    ) as written
    where product_number is not null
),

product_keys as (
    select
        written_numbers.source_system,
        written_numbers.product_number,
        coalesce(
            own_numbers.product_key,
            any_numbers.product_key,
            'number|' || written_numbers.normalised_number
        ) as product_key,
        coalesce(own_numbers.substitution_key, any_numbers.substitution_key) as substitution_key
    from written_numbers
    left join known_products as own_numbers
        on
            written_numbers.normalised_number = own_numbers.product_number
            and written_numbers.source_system = own_numbers.source_system
    left join known_products as any_numbers
        on
            written_numbers.normalised_number = any_numbers.product_number
            and any_numbers.source_system = ''
),

units_of_all as (
    select * from {{ ref('unit_conversions') }}
    where product_number is null
),

units_of_products as (
    select distinct on (product_keys.product_key, rules.unit)
        product_keys.product_key,
        rules.unit,
        coalesce(units_of_all.base_unit, rules.base_unit) as base_unit,
        rules.factor * coalesce(units_of_all.factor, 1) as factor
    from {{ ref('unit_conversions') }} as rules
    inner join known_products as product_keys
        on
            {{ function('normalise_product_number') }}(rules.product_number)
            = product_keys.product_number
    left join units_of_all on rules.base_unit = units_of_all.unit
    where rules.product_number is not null
    order by
        product_keys.product_key asc,
        rules.unit asc,
        rules.base_unit asc
),

measured_lines as (
    select
        whole_lines.*,
        coalesce(product_keys.product_key, '-') as product_key,
        product_keys.substitution_key,
        coalesce(units_of_products.base_unit, units_of_all.base_unit, upper(btrim(whole_lines.unit)))
            as base_unit,
        coalesce(units_of_products.factor, units_of_all.factor, 1) as unit_factor,
        round(
            whole_lines.quantity * coalesce(units_of_products.factor, units_of_all.factor, 1), 8
        ) as base_quantity,
        whole_lines.quantity * whole_lines.unit_price * (1 - whole_lines.discount_pct / 100)
            as exact_amount
    from whole_lines
    left join product_keys
        on
            whole_lines.source_system = product_keys.source_system
            and whole_lines.product_number = product_keys.product_number
    left join units_of_products
        on
            product_keys.product_key = units_of_products.product_key
            and upper(btrim(whole_lines.unit)) = units_of_products.unit
    left join units_of_all on upper(btrim(whole_lines.unit)) = units_of_all.unit
    -- A fence, here and below: what stands above is worked out once, not where it is used.
    offset 0
),

valued_lines as (
    select
        *,
        coalesce(net_amount, round(exact_amount, own_minor_units), 0) as amount,
        {{ rounding_rule() }} as rounding_rule
    from measured_lines
),

pairs_to_compare as (
    select pair_key
    from valued_lines
    where pair_cause is null and not is_duplicate
    group by pair_key
    having
        count(*) filter (where side = 'crm') > 0
        and count(*) filter (where side = 'erp') > 0
),

lines_to_match as (
    select valued_lines.*
    from valued_lines
    inner join pairs_to_compare on valued_lines.pair_key = pairs_to_compare.pair_key
    where not valued_lines.is_duplicate
),

{{ matching_pass('exactly_matched', 'lines_to_match', 'product', ['product_key', 'base_quantity', 'unit_price', 'discount_pct']) }},

{{ matching_pass('matched_by_quantity', 'exactly_matched', 'product', ['product_key', 'base_quantity']) }},

{{ matching_pass('matched_by_product', 'matched_by_quantity', 'product', ['product_key'], pools=true) }},

{{ matching_pass('matched_by_substitution', 'matched_by_product', 'substitution', ['substitution_key'], pools=true) }},

unmatched as (
    select * from matched_by_substitution
    where match_key is null
),

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
),

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
),

lines_alone as (
    select {{ line_columns('matched_by_kit') }} from matched_by_kit
    where match_key is null
    union all
    select {{ line_columns('valued_lines') }}
    from valued_lines
    left join pairs_to_compare on valued_lines.pair_key = pairs_to_compare.pair_key
    where pairs_to_compare.pair_key is null or valued_lines.is_duplicate
),

parts_counted as (
    select
        pair_key,
        match_key,
        side,
        min(quantity) as least_quantity,
        max(quantity) as most_quantity,
        count(*) as kind_count,
        min(kind_count) as kind_count_of_kit
    from (
        select
            pair_key,
            match_key,
            side,
            product_key,
            min(kind_count) as kind_count,
            sum(base_quantity) / nullif(min(part_quantity), 0) as quantity
        from matched_lines
        where part_quantity is not null
        group by pair_key, match_key, side, product_key
    ) as parts
    group by pair_key, match_key, side
),

-- Lines that stand together on one side, as one line; what differs between them has no value.
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
),

sides as (
    select * from pooled_lines
    union all
    select {{ side_columns('match_key', 'match_method') }} from matched_lines
    where not is_pooled
    union all
    select {{ side_columns(
        "concat_ws('|', 'alone', source_system, document_type, line_id)", 'null::text'
    ) }} from lines_alone
),

-- What the numbers of a line do not say (a discount on the whole document) goes into what is paid
-- of its price: the multiplier.
priced_sides as (
    select
        *,
        case
            when factor = 1 then amount
            else round(amount * factor, minor_units)
        end as pair_amount,
        tax_amount * factor as pair_tax_amount,
        exact_amount * factor as pair_exact_amount,
        coalesce(unit_price, amount / nullif(quantity * (1 - discount_pct / 100), 0)) * factor
            as pair_unit_price,
        case
            when rounding_rule is not null or unit_price is null then 1 - discount_pct / 100
            else amount / nullif(quantity * unit_price, 0)
        end as multiplier
    from sides
),

crm_sides as (
    select * from priced_sides
    where side = 'crm'
),

erp_sides as (
    select * from priced_sides
    where side = 'erp'
),

paired as (
    select
        coalesce(crm_sides.pair_key, erp_sides.pair_key) as pair_key,
        coalesce(crm_sides.match_method, erp_sides.match_method) as match_method,
        coalesce(crm_sides.pair_cause, erp_sides.pair_cause) as pair_cause,
        coalesce(crm_sides.is_duplicate, erp_sides.is_duplicate) as is_duplicate,
        coalesce(erp_sides.minor_units, crm_sides.minor_units) as minor_units,
        coalesce(crm_sides.is_other_currency, false) or coalesce(erp_sides.is_other_currency, false)
            as is_other_currency,
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
        crm_sides.pair_key is not null and erp_sides.pair_key is not null as is_matched
    from crm_sides
    full outer join erp_sides
        on
            crm_sides.pair_key = erp_sides.pair_key
            and crm_sides.match_key = erp_sides.match_key
),

-- Quantities in one unit: as written where both sides write the same unit or one writes none.
measured_pairs as (
    select
        *,
        upper(btrim(crm_unit)) <> upper(btrim(erp_unit)) as units_differ,
        case
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit)) then crm_quantity * crm_unit_factor
            else crm_quantity
        end as crm_measure,
        case
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit)) then erp_quantity * erp_unit_factor
            else erp_quantity
        end as erp_measure,
        case
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit))
                then crm_pair_unit_price / crm_unit_factor
            else crm_pair_unit_price
        end as crm_price,
        case
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit))
                then erp_pair_unit_price / erp_unit_factor
            else erp_pair_unit_price
        end as erp_price,
        case
            when
                scale(trim_scale(crm_pair_amount)) > minor_units
                or scale(trim_scale(erp_pair_amount)) > minor_units
                then 4
            else minor_units
        end as digits,
        case
            when is_matched then crm_pair_amount - erp_pair_amount
            else coalesce(crm_pair_amount, -erp_pair_amount)
        end as difference_amount
    from paired
    offset 0
),

levels as (
    select
        *,
        round(erp_measure * erp_price * erp_multiplier, digits) as erp_level,
        round(crm_measure * erp_price * erp_multiplier, digits) as quantity_level,
        round(crm_measure * crm_price * erp_multiplier, digits) as price_level,
        round(crm_measure * crm_price * crm_multiplier, digits) as crm_level,
        coalesce(
            units_differ and (
                crm_base_unit is distinct from erp_base_unit
                or (crm_quantity = erp_quantity and crm_measure <> erp_measure)
            ),
            false
        ) as is_unit_mistaken,
        is_matched
        and difference_amount <> 0
        and difference_amount = erp_pair_tax_amount
        and crm_measure is not distinct from erp_measure as is_tax
    from measured_pairs
    offset 0
),

-- From the ERP's amount to the CRM's in steps: quantity, price, discount, and what rounding left.
steps as (
    select
        *,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then quantity_level - erp_level
            when crm_quantity is distinct from erp_quantity then difference_amount
            else 0
        end as quantity_step,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then price_level - quantity_level
            when crm_quantity is distinct from erp_quantity then 0
            when
                crm_unit_price is distinct from erp_unit_price
                or crm_discount_pct is not distinct from erp_discount_pct
                then difference_amount
            else 0
        end as price_step,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then crm_level - price_level
            when
                crm_quantity is distinct from erp_quantity
                or crm_unit_price is distinct from erp_unit_price
                or crm_discount_pct is not distinct from erp_discount_pct
                then 0
            else difference_amount
        end as discount_step,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then (crm_pair_amount - crm_level) - (erp_pair_amount - erp_level)
            else 0
        end as rounding_step
    from levels
    offset 0
),

named as (
    select
        *,
        case when is_unit_mistaken then 0 else quantity_step end as quantity_difference,
        case when is_unit_mistaken then quantity_step + price_step else 0 end as unit_difference,
        case
            when is_unit_mistaken or is_other_currency or match_method = 'substitution' then 0
            else price_step
        end as price_difference,
        discount_step as discount_difference,
        case
            when is_unit_mistaken or is_other_currency or match_method <> 'substitution' then 0
            else price_step
        end as substitution_difference,
        case
            when not is_other_currency then 0
            when is_unit_mistaken then rounding_step
            else price_step + rounding_step
        end as currency_difference,
        case when is_tax then difference_amount else 0 end as tax_difference,
        case when is_other_currency then 0 else rounding_step end as rounding_difference,
        case
            when pair_cause is not null then pair_cause
            when is_duplicate then 'duplicate'
        end as whole_cause
    from steps
    offset 0
),

compared_pairs as (
    select pair_key from pairs_to_compare
),

reconciled as (
    select
        coalesce(
            named.erp_source_system || '|' || named.erp_line_id,
            named.crm_source_system || '|' || named.crm_document_type || '|' || named.crm_line_id
        ) as line_key,
        named.pair_key,
        case
            when named.is_matched then 'matched'
            when named.whole_cause = 'duplicate' then 'duplicate'
            when named.whole_cause is null and compared_pairs.pair_key is null then 'not_compared'
            when named.crm_line_id is not null then 'crm_only'
            else 'erp_only'
        end as line_status,
        case when named.is_matched then named.match_method end as match_method,
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
        coalesce(named.erp_part_count, 0)::integer as erp_part_count,
        case
            when
                named.whole_cause is not null
                or named.is_matched
                or compared_pairs.pair_key is not null
                then named.difference_amount
        end::numeric(28, 4) as difference_amount,
        {% for cause in line_causes() -%}
        named.{{ cause }}_difference::numeric(28, 4) as {{ cause }}_difference,
        {% endfor -%}
        case
            when named.difference_amount = 0 then null
            when named.whole_cause is not null then named.whole_cause
            when named.is_matched then {{ largest_cause('named') }}
            when compared_pairs.pair_key is null then null
            when named.crm_line_id is not null then 'missing_in_erp'
            else 'missing_in_crm'
        end as cause
    from named
    left join compared_pairs on named.pair_key = compared_pairs.pair_key
)

select * from reconciled
