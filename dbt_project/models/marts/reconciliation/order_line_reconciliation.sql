{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['pair_key'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        indexes=[{'columns': ['pair_key']}, {'columns': ['crm_line_id']}],
        meta={'touches': [{'kind': 'pair', 'key': 'pair_key'}]},
        pre_hook="{{ affected_pairs() }}",
    )
}}

with

documents as (
    select * from {{ ref('reconciliation_documents') }}
    where not is_cancelled and {{ affected_by_index('pair_key') }}
),

known_products as (
    select * from {{ ref('reconciliation_products') }}
),

{{ lines_of_sales() }}

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
    {{ whole_lines_of_sales() }}
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
        coalesce(
            units_of_products.base_unit, units_of_all.base_unit, upper(btrim(whole_lines.unit))
        ) as base_unit,
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
    {{ fence() }}
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

{{ matching_pass(
    'exactly_matched', 'lines_to_match', 'product',
    ['product_key', 'base_quantity', 'unit_price', 'discount_pct'],
) }},

{{ matching_pass(
    'matched_by_quantity', 'exactly_matched', 'product', ['product_key', 'base_quantity'],
) }},

{{ matching_pass(
    'matched_by_product', 'matched_by_quantity', 'product', ['product_key'], pools=true,
) }},

{{ matching_pass(
    'matched_by_substitution', 'matched_by_product', 'substitution', ['substitution_key'],
    pools=true,
) }},

unmatched as (
    select * from matched_by_substitution
    where match_key is null
),

{{ matched_kits() }},

{{ matched_lines() }},

lines_alone as (
    select {{ line_columns('matched_by_kit') }} from matched_by_kit
    where matched_by_kit.match_key is null
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
{{ pooled_lines() }},

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
        {{ both_sides() }}
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
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit))
                then crm_quantity * crm_unit_factor
            else crm_quantity
        end as crm_measure,
        case
            when upper(btrim(crm_unit)) <> upper(btrim(erp_unit))
                then erp_quantity * erp_unit_factor
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
    {{ fence() }}
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
        and (crm_measure is not distinct from erp_measure) as is_tax
    from measured_pairs
    {{ fence() }}
),

-- From the ERP's amount to the CRM's in steps: quantity, price, discount, and what rounding left.
steps as (
    select
        *,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then quantity_level - erp_level
            when (crm_quantity is distinct from erp_quantity) then difference_amount
            else 0
        end as quantity_step,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then price_level - quantity_level
            when (crm_quantity is distinct from erp_quantity) then 0
            when
                (crm_unit_price is distinct from erp_unit_price)
                or (crm_discount_pct is not distinct from erp_discount_pct)
                then difference_amount
            else 0
        end as price_step,
        case
            when not is_matched or is_tax then 0
            when crm_level + price_level + quantity_level + erp_level is not null
                then crm_level - price_level
            when
                (crm_quantity is distinct from erp_quantity)
                or (crm_unit_price is distinct from erp_unit_price)
                or (crm_discount_pct is not distinct from erp_discount_pct)
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
    {{ fence() }}
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
    {{ fence() }}
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
        {{ published_sides() }}
        coalesce(named.erp_part_count, 0)::integer as erp_part_count,
        case
            when
                named.whole_cause is not null
                or named.is_matched
                or compared_pairs.pair_key is not null
                then named.difference_amount
        end::numeric(28, 4) as difference_amount,
        {{ published_parts() }}
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
