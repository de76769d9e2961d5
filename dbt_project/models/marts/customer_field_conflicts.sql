{{
    config(
        materialized='incremental',
        incremental_strategy='affected',
        unique_key=['customer_id'],
        on_schema_change='append_new_columns',
        contract={'enforced': true},
        pre_hook="{{ affected_customers() }}",
    )
}}

{%- set rules = ownership_rules() %}
{%- set fields = compared_customer_fields() %}

with

records as (
    {{ customer_source_records() }}
),

-- What each side says by itself, and since when it can have said so. Aggregates instead of joins
-- of the sides: nothing is known of their size, and a wrong plan would compare all with all.
pairs as (
    select
        customer_id,
        {% for field in fields -%}
            {% for side in ['crm', 'erp'] -%}
                {{ golden_value_of_side(rules, side, 'customers.' ~ field, field) }}
                    as {{ side }}_{{ field }},
            {% endfor -%}
            greatest(
                {% for side in ['crm', 'erp'] -%}
                    {{ golden_value_of_side(
                        rules, side, 'customers.' ~ field, field, 'greatest(modified_at, linked_at)'
                    ) }}{% if not loop.last %},{% endif %}
                {% endfor %}
            ) as {{ field }}_since,
        {% endfor -%}
        max(linked_at) as linked_at
    from records
    group by customer_id
    having count(distinct side) = 2
),

golden_pairs as (
    select
        golden_records.*,
        {% for field in fields -%}
            pairs.crm_{{ field }},
            pairs.erp_{{ field }},
            pairs.{{ field }}_since,
        {% endfor -%}
        pairs.linked_at
    from {{ ref('customers') }} as golden_records
    inner join pairs on golden_records.customer_id = pairs.customer_id
    where {{ only_affected(['golden_records.customer_id']) }}
),

differing_fields as (
    {% for field in fields -%}
        {% set rule = ownership_rule(rules, 'customers.' ~ field) -%}
        select
            customer_id,
            '{{ field }}' as field,
            crm_{{ field }} as crm_value,
            erp_{{ field }} as erp_value,
            {{ field }} as chosen_value,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            {{ field }}_since as since
        from golden_pairs
        where
            {{ differs_in_more_than_spelling(field, 'crm_' ~ field, 'erp_' ~ field) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

sites as (
    select
        *,
        {{ address_in_one_line() }} as address
    from {{ ref('customer_addresses') }}
    where {{ only_affected(['customer_id']) }}
),

site_pairs as (
    select
        customer_id,
        {% for role in ['billing', 'shipping'] -%}
            {% for side in ['crm', 'erp'] -%}
                {% for column in ['address', 'modified_at'] -%}
                    (
                        array_agg({{ column }} order by {{ site_order(rules, role) }})
                        filter (where is_{{ role }}_in_{{ side }})
                    )[1] as {{ side }}_{{ role }}_{{ column }},
                {% endfor -%}
            {% endfor -%}
            bool_or(is_{{ role }}_in_crm and is_{{ role }}_in_erp) as agree_on_{{ role }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from sites
    group by customer_id
),

-- Addresses differ when the two sides have no site of the role in common.
differing_addresses as (
    {% for role in ['billing', 'shipping'] -%}
        {% set rule = ownership_rule(rules, 'addresses.' ~ role) -%}
        select
            golden_pairs.customer_id,
            '{{ role }}_address' as field,
            site_pairs.crm_{{ role }}_address as crm_value,
            site_pairs.erp_{{ role }}_address as erp_value,
            concat_ws(
                ', ',
                golden_pairs.{{ role }}_street,
                nullif(
                    concat_ws(
                        ' ', golden_pairs.{{ role }}_postal_code, golden_pairs.{{ role }}_city
                    ),
                    ''
                ),
                golden_pairs.{{ role }}_region,
                golden_pairs.{{ role }}_country
            ) as chosen_value,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            greatest(
                site_pairs.crm_{{ role }}_modified_at,
                site_pairs.erp_{{ role }}_modified_at,
                golden_pairs.linked_at
            ) as since
        from golden_pairs
        inner join site_pairs on golden_pairs.customer_id = site_pairs.customer_id
        where
            site_pairs.crm_{{ role }}_address is not null
            and site_pairs.erp_{{ role }}_address is not null
            and not site_pairs.agree_on_{{ role }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

differences as (
    select * from differing_fields
    union all
    select * from differing_addresses
),

unified as (
    select
        customer_id,
        field,
        crm_value,
        erp_value,
        chosen_value,
        owner,
        mode,
        mode = 'review' as is_for_review,
        since
    from differences
)

select * from unified
