{{ config(materialized='table', contract={'enforced': true}) }}

{%- set rules = ownership_rules() %}
{%- set fields = compared_customer_fields() %}

with

records as (
    {{ customer_source_records() }}
),

-- What each side says by itself of a customer that both have.
pairs as (
    select
        customer_id,
        date_trunc('month', {{ utc_date('max(linked_at)') }}::timestamp)::date as linked_month,
        {%- for field in fields %}
            {%- for side in ['crm', 'erp'] %}
                {{ golden_value_of_side(rules, side, 'customers.' ~ field, field) }}
                    as {{ side }}_{{ field }}
                {%- if not (loop.last and field == fields[-1]) %},{% endif %}
            {%- endfor %}
        {%- endfor %}
    from records
    group by customer_id
    having count(distinct side) = 2
),

said as (
    {%- for field in fields %}
        {%- set rule = ownership_rule(rules, 'customers.' ~ field) %}
        select
            customer_id,
            linked_month,
            '{{ field }}' as field,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            crm_{{ field }} is not null as is_in_crm,
            erp_{{ field }} is not null as is_in_erp,
            {{ differs_in_more_than_spelling(field, 'crm_' ~ field, 'erp_' ~ field) }}
                as is_different
        from pairs
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
    {%- for role in ['billing', 'shipping'] %}
        {%- set rule = ownership_rule(rules, 'addresses.' ~ role) %}
        union all
        select
            pairs.customer_id,
            pairs.linked_month,
            '{{ role }}_address' as field,
            '{{ rule.owner }}' as owner,
            '{{ rule.mode }}' as mode,
            coalesce(bool_or(sites.is_{{ role }}_in_crm), false) as is_in_crm,
            coalesce(bool_or(sites.is_{{ role }}_in_erp), false) as is_in_erp,
            not coalesce(bool_or(sites.is_{{ role }}_in_crm and sites.is_{{ role }}_in_erp), false)
                as is_different
        from pairs
        left join {{ ref('customer_addresses') }} as sites on pairs.customer_id = sites.customer_id
        group by pairs.customer_id, pairs.linked_month
    {%- endfor %}
),

final as (
    select
        linked_month as month,
        field,
        owner,
        mode,
        count(*) as linked_count,
        count(*) filter (where is_in_crm or is_in_erp) as known_count,
        count(*) filter (where is_in_crm and is_in_erp and not is_different) as agreeing_count,
        count(*) filter (where is_in_crm and is_in_erp and is_different) as differing_count,
        count(*) filter (where is_in_crm and not is_in_erp) as crm_only_count,
        count(*) filter (where is_in_erp and not is_in_crm) as erp_only_count
    from said
    group by linked_month, field, owner, mode
)

select * from final
